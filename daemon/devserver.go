package daemon

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"rebake/daemon/files"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// Where the pages of `rebake dev` find what follows them. No page can have a
// path below /_rebake.
const (
	devClientPath = "/_rebake/dev/client.js"
	devEventsPath = "/_rebake/dev/events"
)

// devLook is how often a page's status is read although nothing was heard.
const devLook = time.Second

//go:embed devclient.js
var devClient []byte

// devServer serves the output directory to the one who works on its templates.
// A page that was not rendered yet is rendered when it is asked for, and every
// HTML page gets the client that follows it.
type devServer struct {
	app   *app
	files http.Handler

	mu      sync.Mutex
	problem string        // guarded by mu; of the templates as they are on disk
	changed chan struct{} // guarded by mu; closed when problem changes
}

func newDevServer(a *app) *devServer {
	return &devServer{app: a, files: files.Server(a.cfg.Output), changed: make(chan struct{})}
}

// loaded hears how a load of the templates ended.
func (d *devServer) loaded(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.problem = ""
	if err != nil {
		d.problem = err.Error()
	}
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *devServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case devClientPath:
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(devClient)
		return
	case devEventsPath:
		d.events(w, r)
		return
	}
	p, err := storage.ParsePath(r.URL.Path)
	if err == nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d.patience() + 30*time.Second))
		d.ensure(r.Context(), p)
	}
	page := &devPage{ResponseWriter: w, path: p.String()}
	d.files.ServeHTTP(page, r)
	page.finish(r.Method == http.MethodHead)
}

// patience is how long a request waits for its page.
func (d *devServer) patience() time.Duration { return d.app.cfg.Limits.Render + 5*time.Second }

// ensure renders a page that is not there, or whose last render failed. What
// fails is in the page's status, and the last good page is served.
func (d *devServer) ensure(ctx context.Context, p storage.Path) {
	ctx, cancel := context.WithTimeout(ctx, d.patience())
	defer cancel()
	if _, ok := d.app.renderer.Match(p); !ok {
		return
	}
	s, err := d.app.worker.Ledger.State(ctx, p)
	if err != nil {
		return
	}
	known := s.Page != nil && !s.Page.Gone && s.Freshness != ledger.PageFailed
	if known && d.version(p) != "" {
		return
	}
	accepted, err := d.app.worker.Accept(ctx, worker.Trigger{
		Paths: []storage.Path{p}, Priority: ledger.Critical, Reason: "asked for by a browser",
	})
	if err != nil {
		return
	}
	for _, page := range accepted.Pages {
		_ = d.app.worker.Wait(ctx, page)
	}
}

// devStatus is what the client follows.
type devStatus struct {
	Version string `json:"version"` // of the file, "" without one
	Problem string `json:"problem"` // that keeps a newer version back, "" for none
}

func (d *devServer) status(ctx context.Context, p storage.Path) (s devStatus, changed <-chan struct{}) {
	d.mu.Lock()
	s.Problem, changed = d.problem, d.changed
	d.mu.Unlock()
	if state, err := d.app.worker.Ledger.State(ctx, p); s.Problem == "" && err == nil && state.Owed != nil {
		s.Problem = state.Owed.Error
	}
	s.Version = d.version(p)
	return s, changed
}

func (d *devServer) version(p storage.Path) string {
	f, info, err := files.Open(d.app.cfg.Output, p)
	if err != nil {
		return ""
	}
	defer f.Close()
	return files.ETag(info)
}

// events sends the page's status, now and whenever it changes. It is the
// client who compares: so a page that was published while the client was on
// its way is not missed.
func (d *devServer) events(w http.ResponseWriter, r *http.Request) {
	p, err := storage.ParsePath(r.URL.Query().Get("path"))
	if err != nil {
		http.Error(w, "400: "+err.Error(), http.StatusBadRequest)
		return
	}
	heard, unsubscribe := d.app.feed.Subscribe(256)
	defer unsubscribe()
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	_ = rc.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	look := time.NewTicker(devLook)
	defer look.Stop()
	for sent, first := (devStatus{}), true; ; first = false {
		now, changed := d.status(r.Context(), p)
		if first || now != sent {
			b, _ := json.Marshal(now) // two strings cannot fail
			if _, err := fmt.Fprintf(w, "data: %s\n\n", b); err != nil || rc.Flush() != nil {
				return
			}
			sent = now
		}
		if !d.awaitHint(r.Context(), p, heard, changed, look.C) {
			return
		}
	}
}

// awaitHint returns when the page's status may have changed, false when nobody
// wants it any more.
func (d *devServer) awaitHint(ctx context.Context, p storage.Path, heard <-chan ledger.Event, changed <-chan struct{}, look <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-changed:
			return true
		case <-look:
			return true
		case e := <-heard:
			if e.Path == p {
				return true
			}
		}
	}
}

// devPage holds an HTML answer back until the client can be put into it.
type devPage struct {
	http.ResponseWriter
	path   string
	status int
	held   bool
	body   bytes.Buffer
}

// WriteHeader decides whether the answer is held back. A reader of a page that
// is not there wants to see it when it comes, so it gets a page as well.
func (p *devPage) WriteHeader(status int) {
	isHTML := strings.HasPrefix(p.Header().Get("Content-Type"), "text/html")
	p.status = status
	if p.held = status == http.StatusNotFound || status == http.StatusOK && isHTML; !p.held {
		p.ResponseWriter.WriteHeader(status)
	}
}

// Write implements io.Writer.
func (p *devPage) Write(b []byte) (int, error) {
	if p.status == 0 {
		p.WriteHeader(http.StatusOK)
	}
	if p.held {
		return p.body.Write(b)
	}
	return p.ResponseWriter.Write(b)
}

// finish sends what was held back.
func (p *devPage) finish(head bool) {
	if !p.held {
		return
	}
	h := p.Header()
	client := fmt.Sprintf(`<script src="%s" data-path="%s" data-version="%s"></script>`,
		devClientPath, html.EscapeString(p.path), html.EscapeString(h.Get("ETag")))
	for _, name := range []string{"ETag", "Last-Modified", "Content-Length", "Accept-Ranges"} {
		h.Del(name) // those of the file
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	p.ResponseWriter.WriteHeader(p.status)
	if head {
		return
	}
	body := p.body.Bytes()
	if p.status == http.StatusNotFound {
		body = []byte(devNotFound)
	}
	_, _ = p.ResponseWriter.Write(beforeBodyEnd(body, client))
}

const devNotFound = `<!doctype html><html><head><meta charset="utf-8"><title>404</title></head>
<body><h1>404</h1><p>There is no such page: no route has the path, the source says that it is gone, or it could not be rendered.</p></body></html>
`

var bodyEnd = regexp.MustCompile(`(?i)</body\s*>`)

// beforeBodyEnd puts text before the last </body>, or at the end.
func beforeBodyEnd(page []byte, text string) []byte {
	at := len(page)
	if ends := bodyEnd.FindAllIndex(page, -1); len(ends) > 0 {
		at = ends[len(ends)-1][0]
	}
	out := make([]byte, 0, len(page)+len(text))
	out = append(out, page[:at]...)
	out = append(out, text...)
	return append(out, page[at:]...)
}
