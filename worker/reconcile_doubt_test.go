package worker

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// shown makes n posts with a page each for the first 30, and a Worker that has
// seen them all.
func (s *website) shown(cms *press, n int) *reconciled {
	s.t.Helper()
	cms.posts(n)
	r := s.watchingPress(cms)
	pages := make(map[string]string)
	for id := 1; id <= min(n, 30); id++ {
		pages[fmt.Sprintf("/p%d", id)] = fmt.Sprintf("post:%d", id)
	}
	r.published(pages)
	r.untilDone(byItself)
	return r
}

// gonePosts is what a poll finds of the shown posts from one id to another.
func gonePosts(from, to int) (found []string) {
	for id := from; id <= to; id++ {
		found = append(found, fmt.Sprintf("gone post:%d", id))
	}
	return found
}

func (p *press) removePosts(from, to int) {
	for id := from; id <= to; id++ {
		p.remove(id)
	}
}

func TestReconcile_aCMSThatIsEmptyForOnePollHasLostNothing(t *testing.T) {
	for name, n := range map[string]int{"few": 50, "many": 250} {
		t.Run(name, func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			r := s.shown(cms, n)
			kept := maps.Clone(cms.items)
			cms.removePosts(1, n)
			report := r.poll(byItself)
			wantFound(t, report)
			if len(report.Notes) != 1 || !strings.Contains(report.Notes[0], "posts") {
				t.Errorf("notes = %q, want one about the posts", report.Notes)
			}
			cms.mu.Lock()
			cms.items = kept
			cms.mu.Unlock()
			r.finds(byItself)

			// It is doubted again the next time.
			cms.removePosts(1, n)
			r.finds(byItself)
			if got := r.triggered(); len(got) > 0 {
				t.Errorf("triggered %v", got)
			}
		})
	}
}

func TestReconcile_aCMSThatIsEmptyTwiceHasLostEverything(t *testing.T) {
	for name, n := range map[string]int{"few": 30, "many": 250} {
		t.Run(name, func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			r := s.shown(cms, n)
			cms.removePosts(1, n)
			r.finds(byItself)
			r.finds(byItself, gonePosts(1, 30)...)
			r.finds(byItself)
		})
	}
}

func TestReconcile_mostIsMissing(t *testing.T) {
	for _, tt := range []struct {
		name     string
		n, to    int // how many there are, and the last that goes
		believed bool
	}{
		{"of few posts", 50, 26, false},
		{"of the first of many", 350, 120, false},
		{"just half", 50, 25, true},
		{"not many in all", 12, 10, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			r := s.shown(cms, tt.n)
			cms.removePosts(1, tt.to)
			if !tt.believed {
				r.finds(byItself)
			}
			r.finds(byItself, gonePosts(1, min(tt.to, 30))...)
			r.finds(byItself)
		})
	}
}

func TestReconcile_termsThatAreAllMissing(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	pages := make(map[string]string)
	var gone []string
	for id := 1; id <= 15; id++ {
		cms.put(id, pressItem{kind: "categories", name: fmt.Sprint(id)})
		pages[fmt.Sprintf("/c%d", id)] = fmt.Sprintf("category:%d", id)
		gone = append(gone, fmt.Sprintf("gone category:%d", id))
	}
	r := s.watchingPress(cms)
	r.published(pages)
	r.finds(byItself)
	cms.removePosts(1, 15)
	r.finds(byItself)
	r.finds(byItself, gone...)
	r.finds(byItself)
}

func TestReconcile_anAnswerThatIsEmptyInTheMiddle(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	r := s.shown(cms, 250)
	cms.edit(251, 0)
	cms.remove(250, 249)
	kept := maps.Clone(cms.items)
	cms.mu.Lock()
	cms.on = func(req *http.Request) {
		if q := req.URL.Query(); q.Get("orderby") == "id" && strings.HasSuffix(req.URL.Path, "/posts") {
			cms.removePosts(1, 251)
		}
	}
	cms.mu.Unlock()
	r.finds(byItself, "new post:251")
	cms.mu.Lock()
	cms.on, cms.items = nil, kept
	cms.mu.Unlock()
	r.finds(byItself)
	r.finds(byItself)
}
