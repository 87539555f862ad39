package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// fakeSite renders posts of a cms into memory when it is told to. A forgetful
// one does nothing about a trigger that comes while the page is rendered.
type fakeSite struct {
	source    *cms
	forgetful bool

	mu        sync.Mutex
	pages     map[string]string
	rendering bool
	render    sync.Mutex // one at a time
}

func (f *fakeSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/revalidate" {
		f.mu.Lock()
		defer f.mu.Unlock()
		fmt.Fprint(w, f.pages[r.URL.Path])
		return
	}
	f.mu.Lock()
	skip := f.forgetful && f.rendering
	f.rendering = true
	f.mu.Unlock()
	if !skip {
		f.render.Lock()
		defer f.render.Unlock()
		path := r.URL.Query().Get("path")
		read := httptest.NewRecorder()
		f.source.ServeHTTP(read, httptest.NewRequest(http.MethodGet, "/posts?slug="+path[len("/blog/"):], nil))
		f.mu.Lock()
		f.pages[path], f.rendering = read.Body.String(), false
		f.mu.Unlock()
	}
	fmt.Fprint(w, `{"revalidated":true}`)
}

func newFakeSite(t *testing.T, forgetful bool) (*system, *cms) {
	source := posts(3)
	site := httptest.NewServer(&fakeSite{source: source, forgetful: forgetful, pages: make(map[string]string)})
	t.Cleanup(site.Close)
	return &system{name: "fake", public: site.URL, api: site.URL}, source
}

func TestMeasureRaces(t *testing.T) {
	for _, test := range []struct {
		name      string
		forgetful bool
		want      int
	}{
		{"counts no edit as lost that is public", false, 0},
		{"counts the edits that a forgetful system loses", true, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, source := newFakeSite(t, test.forgetful)
			lost, err := measureRaces(t.Context(), s, source, 2, 100*time.Millisecond, "")
			if err != nil || lost != test.want {
				t.Errorf("lost %d, %v, want %d", lost, err, test.want)
			}
		})
	}
}

func TestMeasureEdits_timesEachSystemsOwnEdits(t *testing.T) {
	s, source := newFakeSite(t, false)
	other := &system{name: "other", public: s.public, api: s.api}
	took, err := measureEdits(t.Context(), source, 4, s, other)
	if err != nil || len(took[s]) != 4 || len(took[other]) != 4 {
		t.Errorf("took %v, %v, want 4 of each", took, err)
	}
}

func TestPercentile(t *testing.T) {
	var sorted []time.Duration
	for i := range 500 {
		sorted = append(sorted, time.Duration(i+1))
	}
	for p, want := range map[int]time.Duration{50: 250, 99: 495, 100: 500} {
		if got := percentile(sorted, p); got != want {
			t.Errorf("p%d of 1 to 500 is %d, want %d", p, got, want)
		}
	}
}

func TestRow_ratioSaysHowMuchBetterRebakeIs(t *testing.T) {
	for _, test := range []struct {
		rebake, next float64
		more         bool
		want         string
	}{
		{2, 5, false, "2.5×"},
		{5, 2, true, "2.5×"},
		{100, 20, false, "0.2×"},
		{1, 50, false, "50×"},
		{0, 20, false, "–"}, // lost updates
		{1, none, true, "–"},
	} {
		r := row{rebake: test.rebake, next: test.next, more: test.more}
		if got := r.ratio(r.next); got != test.want {
			t.Errorf("%v against %v, more is better %v: %s, want %s", test.rebake, test.next, test.more, got, test.want)
		}
	}
}
