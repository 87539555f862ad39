package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"rebake/storage"
	"rebake/storage/spool"
	"rebake/worker"
)

// problem is the answer to a request that did nothing.
type problem struct {
	Revalidated bool   `json:"revalidated"` // always false; callers of Next.js look for it
	Error       string `json:"error"`       // stable, for programs
	Message     string `json:"message"`     // for people
}

// badRequest is an error of the caller.
type badRequest struct {
	status  int
	code    string
	message string
}

func (e *badRequest) Error() string { return e.message }

func bad(code, message string) error { return &badRequest{http.StatusBadRequest, code, message} }

var errNoPage = bad("missing_path", `say which page: path=/blog/a, or tag=post:42, or JSON {"paths": ["/blog/a"]}`)

var errUnauthorized = &badRequest{http.StatusUnauthorized, "unauthorized", "Invalid token"}

// refuse is the one table that turns an error into a status and a text. What
// it does not know is internal: told in the log, and not to the caller.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var invalid *badRequest
	var path *storage.PathError
	var tooLarge *http.MaxBytesError
	var temporary *storage.TemporaryError
	var notSpooled *worker.NotSpooledError
	status, p := http.StatusInternalServerError, problem{Error: "internal", Message: "internal error"}
	switch {
	case errors.As(err, &invalid):
		status, p = invalid.status, problem{Error: invalid.code, Message: invalid.message}
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "5")
			a.log.Error("request not taken, its sender has to send it again", "route", a.scrub(r.URL.Path), "why", invalid.message)
		}
	case errors.As(err, &path):
		status, p = http.StatusBadRequest, problem{Error: path.Code, Message: path.Error()}
	case errors.As(err, &tooLarge):
		status, p = http.StatusRequestEntityTooLarge, problem{Error: "too_large", Message: "the body is too large"}
	case errors.As(err, &notSpooled):
		w.Header().Set("Retry-After", "5")
		status, p = http.StatusServiceUnavailable, problem{Error: "not_spooled", Message: a.notSpooled(notSpooled)}
		a.log.Error("trigger lost, its sender has to send it again", "route", a.scrub(r.URL.Path), "err", a.scrub(err.Error()))
	case errors.As(err, &temporary):
		w.Header().Set("Retry-After", "1")
		status, p = http.StatusServiceUnavailable, problem{Error: "unavailable", Message: "the queue does not answer; send it again"}
		a.log.Error("queue does not answer", "route", a.scrub(r.URL.Path), "err", err)
	default:
		a.log.Error("request failed", "route", a.scrub(r.URL.Path), "err", err)
	}
	if status < 500 {
		level := slog.LevelWarn
		if strings.HasPrefix(r.URL.Path, "/v1/") && status != http.StatusUnauthorized && status != http.StatusForbidden {
			level = slog.LevelDebug // the person who asks is told
		}
		a.log.Log(r.Context(), level, "request refused", "route", a.scrub(r.URL.Path), "status", status, "code", p.Error, "reason", a.scrub(p.Message))
	}
	a.metrics.refused.WithLabelValues(p.Error).Inc()
	answer(w, status, p)
}

// notSpooled says why a trigger could not be kept. Senders need no more to know.
func (a *API) notSpooled(err *worker.NotSpooledError) string {
	if errors.Is(err.Spool, spool.ErrFull) {
		return a.site.Intake().Reason + ", and the spool is full (limits.spool); send it again"
	}
	return a.site.Intake().Reason + ", and the spool cannot be written; send it again"
}

// answer writes JSON. A caller that went away is nobody's error.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(true)
	_ = enc.Encode(body)
}
