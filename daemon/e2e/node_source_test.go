package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// source is the CMS of an app: GET /name answers with {title, text}, or 404.
type source struct {
	*httptest.Server

	mu    sync.Mutex
	texts map[string]string      // guarded by mu; the titles by their names
	holds map[string]*heldAnswer // guarded by mu
}

// heldAnswer is one that waits.
type heldAnswer struct {
	asked    chan struct{} // closed when the text has been read
	released chan struct{} // closed when it may be sent
}

func newSource(t *testing.T, names ...string) *source {
	t.Helper()
	s := &source{texts: map[string]string{}, holds: map[string]*heldAnswer{}}
	for _, name := range names {
		s.texts[name] = "The first " + name
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// env is how an app is told of the source.
func (s *source) env() []string {
	return []string{"SOURCE=" + s.URL, "SECRET=" + secret, "NODE_ENV=production", "NEXT_TELEMETRY_DISABLED=1", "NUXT_TELEMETRY_DISABLED=1"}
}

// set gives a name another title.
func (s *source) set(name, title string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[name] = title
}

// remove takes a name away.
func (s *source) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.texts, name)
}

// hold makes the next answer for a name wait, with the text that it has then.
// asked is closed when it was asked for.
func (s *source) hold(name string) (asked <-chan struct{}, release func()) {
	h := &heldAnswer{asked: make(chan struct{}), released: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds[name] = h
	return h.asked, sync.OnceFunc(func() { close(h.released) })
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	s.mu.Lock()
	title, found := s.texts[name]
	h := s.holds[name]
	delete(s.holds, name)
	s.mu.Unlock()
	if h != nil {
		close(h.asked)
		select {
		case <-h.released:
		case <-r.Context().Done():
			return
		}
	}
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"title": title, "text": "What there is to say about " + title + "."})
}
