package worker

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"rebake/renderer"
	"rebake/renderer/source"
)

// cms is a real server with a source over it, which can be told to fail. Its
// item at any path has one field, the version.
type cms struct {
	*httptest.Server
	source  *source.Source
	version atomic.Int64
	asked   atomic.Int64 // requests that reached it
	failed  atomic.Int64 // those that it did not answer as it should
	inside  atomic.Int64 // those under way

	mu    sync.Mutex
	fault http.HandlerFunc // guarded by mu; nil to answer
}

func newCMS(t *testing.T, name string, change ...func(*source.Config)) *cms {
	t.Helper()
	c := &cms{}
	c.version.Store(1)
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	cfg := source.DefaultConfig()
	cfg.URL = c.URL
	for _, f := range change {
		f(&cfg)
	}
	var err error
	if c.source, err = source.New(name, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.source.Close)
	return c
}

func (c *cms) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.asked.Add(1)
	c.inside.Add(1)
	defer c.inside.Add(-1)
	c.mu.Lock()
	fault := c.fault
	c.mu.Unlock()
	if fault != nil {
		c.failed.Add(1)
		fault(w, r)
		return
	}
	fmt.Fprintf(w, `{"version": %d}`, c.version.Load())
}

// fail makes fault the answer to all requests from now on; nil ends that.
func (c *cms) fail(fault http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = fault
}

// pause is how long the source will be left alone.
func (c *cms) pause() time.Duration {
	down := c.source.Down()
	if len(down) == 0 {
		return 0
	}
	return time.Until(down[0].Next)
}

// recover ends the fault, for what hangs in it too.
func (c *cms) recover() {
	c.fail(nil)
	c.CloseClientConnections()
}

// hangs is a fault that lasts as long as the client waits.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// status is a fault that answers with it.
func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// madeFrom makes the process render /{name}/{slug} from each of the sources.
func (p *process) madeFrom(sources map[string]*cms) *process {
	p.site.t.Helper()
	templates, err := renderer.LoadTemplates(fstest.MapFS{
		"page.html": {Data: []byte(`<!doctype html><title>{{.path}}</title>version {{.item.version}}</html>`)},
	})
	if err != nil {
		p.site.t.Fatal(err)
	}
	c := renderer.Config{Site: "https://" + host, Templates: templates, Sources: map[string]*source.Source{}}
	for name, cms := range sources {
		c.Sources[name] = cms.source
		c.Routes = append(c.Routes, renderer.RouteConfig{
			Path: "/" + name + "/{slug}", Template: "page.html",
			Data: map[string]renderer.FetchConfig{"item": {Source: name, Get: "/{slug}"}},
		})
	}
	r, err := renderer.New(c)
	if err != nil {
		p.site.t.Fatal(err)
	}
	parts := p.Parts
	parts.Renderer = r
	p.Worker = New(p.cfg, parts)
	return p
}

// shows reports whether the page's file has the version.
func (s *website) shows(path string, version int) bool {
	return strings.Contains(s.served(path), fmt.Sprintf("version %d<", version))
}

// fresh reports whether nothing is owed.
func (p *process) fresh() bool {
	counts, err := p.Ledger.Counts(p.site.t.Context())
	return err == nil && counts.Owed == 0
}

func containsAll(s string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}
