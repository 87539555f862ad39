package api

import (
	"errors"
	"net/http"
	"time"

	"rebake/storage"
	"rebake/worker"
)

// miss answers what nginx has no file for: the page is rendered now, published
// and served. What it answers besides is not to be stored, and never becomes a
// file. Nothing of the request but its path decides about the answer.
func (a *API) miss(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		answer(w, http.StatusNotFound, problem{Error: "not_found", Message: "nothing is served here"})
		return
	}
	p, err := a.cfg.Rules.ParseEscaped(r.URL.EscapedPath())
	if err != nil {
		a.plain(w, http.StatusNotFound, "there is no such page")
		return
	}
	// The listener's own limit is for answers that are not waited for.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(worker.MissTime + missWriteTime))
	page, err := a.site.Miss(r.Context(), p)
	switch {
	case errors.Is(err, worker.ErrAbsent):
		w.Header().Set("Cache-Status", "rebake; fwd=miss")
		a.plain(w, http.StatusNotFound, "there is no such page")
		return
	case errors.Is(err, worker.ErrKept):
		// nginx asks the origin about a 404, which would show the page.
		w.Header().Set("Cache-Status", "rebake; fwd=miss")
		a.plain(w, http.StatusGone, "this page was removed")
		return
	case err != nil:
		if r.Context().Err() == nil {
			a.log.Warn("miss not answered", "path", p.String(), "err", err)
		}
		w.Header().Set("Retry-After", "5")
		w.Header().Set("Cache-Status", "rebake; fwd=miss")
		a.plain(w, http.StatusServiceUnavailable, "the page cannot be rendered at the moment; please try again")
		return
	}
	defer page.File.Close()
	info, err := page.File.Stat()
	if err != nil {
		a.log.Error("miss not answered", "path", p.String(), "err", err)
		a.plain(w, http.StatusInternalServerError, "internal error")
		return
	}
	h := w.Header()
	h.Set("Content-Type", page.Type)
	if storage.IsText(page.Type) {
		h.Set("Content-Type", page.Type+"; charset=utf-8")
	}
	h.Set("Cache-Control", "public, max-age=0, must-revalidate")
	h.Set("Cache-Status", "rebake; hit")
	if page.Rendered {
		h.Set("Cache-Status", "rebake; fwd=miss; stored")
	}
	http.ServeContent(w, whole(r), "", info.ModTime(), page.File)
}

// whole is a request for a whole page, or for nothing when the visitor has it.
// Parts, and conditions that may fail, have answers that are no page, with the
// headers of one.
func whole(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	for _, name := range []string{"Range", "If-Range", "If-Match", "If-Unmodified-Since"} {
		r.Header.Del(name)
	}
	return r
}

// missWriteTime is how long a visitor may take to read a page.
const missWriteTime = 30 * time.Second

// plain answers a person. no-store is set for all answers by guard.
func (a *API) plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
