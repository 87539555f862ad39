package worker

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// One that is more than an answer holds takes another, for what was scheduled.
func TestReconcile_nothingChangedCostsOneRequestPerCollection(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(250)
	r := s.watchingPress(cms)
	r.untilDone(byItself)
	cms.requests()
	r.finds(byItself)
	want := []string{"types", "taxonomies", "pages modified 1", "posts modified 1", "posts date 1", "categories id 1", "users id 1"}
	if diff := cmp.Diff(want, cms.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if got := r.triggered(); len(got) > 0 {
		t.Errorf("triggered %v", got)
	}
}

func TestReconcile_theFirstTimeComparesWithThePages(t *testing.T) {
	for name, n := range map[string]int{"few posts": 5, "many posts": 250} {
		t.Run(name, func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			cms.posts(n)
			r := s.watchingPress(cms)
			r.published(map[string]string{"/two": "post:2", "/three": "post:3", "/": "list:cms/posts"})
			cms.edit(3, -10*time.Minute) // later than its page
			cms.edit(4, -10*time.Minute) // later than the list which it should be in
			cms.edit(2, time.Minute)     // later, by a clock that is behind
			var found []string
			for open := true; open; {
				report := r.poll(few)
				open = report.Open
				for _, f := range report.Found {
					found = append(found, f.Item)
				}
			}
			slices.Sort(found)
			if diff := cmp.Diff([]string{"post:2", "post:3", "post:4"}, found); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			r.finds(byItself)
		})
	}
}

func TestReconcile_withoutPagesTheFirstTimeOnlyRemembers(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(20)
	cms.edit(3, 0)
	r := s.watchingPress(cms)
	r.finds(byItself)
	if got := r.triggered(); len(got) > 0 {
		t.Errorf("triggered %v", got)
	}
}

func TestReconcile_manyEditsAtOnceAreAllFound(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(450)
	r := s.watchingPress(cms)
	r.untilDone(byItself)
	for id := 1; id <= 350; id++ {
		cms.edit(id, 0) // all in the same second or two, more than one answer holds
	}
	report := r.poll(byItself)
	if report.Count != 350 || report.Open {
		t.Errorf("found %d, and open is %t", report.Count, report.Open)
	}
	r.finds(byItself)
}

func TestReconcile_moreThanOnePollMayAskForIsFoundBySeveral(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(1500)
	r := s.watchingPress(cms)
	if polls := r.untilDone(few); polls < 3 {
		t.Errorf("the first comparison took %d polls", polls)
	}
	for id := 1; id <= 1500; id++ {
		cms.edit(id, 0)
	}
	found := 0
	for polls := 0; found < 1500; polls++ {
		if polls > 20 {
			t.Fatal("it does not come to an end")
		}
		cms.requests()
		report := r.poll(few)
		found += report.Count
		if n := len(cms.requests()); n > few.requests {
			t.Errorf("a poll took %d requests", n)
		}
	}
	if found != 1500 {
		t.Errorf("found %d of 1500", found)
	}
	r.finds(byItself)
}

func TestReconcile_whatMovesWhileItIsReadIsNotGone(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(250)
	r := s.watchingPress(cms)
	r.published(map[string]string{"/101": "post:101", "/5": "post:5"})
	r.untilDone(byItself)
	cms.remove(6)
	cms.mu.Lock()
	cms.on = func(req *http.Request) {
		if q := req.URL.Query(); q.Get("orderby") == "id" && q.Get("page") == "2" && strings.HasSuffix(req.URL.Path, "/posts") {
			cms.remove(5) // and so 102 comes on the first page
		}
	}
	cms.mu.Unlock()
	r.finds(byItself, "gone post:5")
	r.finds(byItself)
}

func TestReconcile_whatIsCountedAndNotShown(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(250)
	cms.put(300, pressItem{kind: "posts", date: longAgo, modified: longAgo, hidden: true})
	r := s.watchingPress(cms)
	r.untilDone(byItself)
	cms.requests()
	r.finds(byItself)
	if n := len(cms.requests()); n != 7 {
		t.Errorf("it took %d requests", n)
	}
}

func TestReconcile_everythingIsComparedOnceADay(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(250)
	r := s.watchingPress(cms)
	r.untilDone(byItself)
	item := cms.items[7]
	item.modified = item.modified.Add(time.Second) // by a clock that was wrong
	cms.put(7, item)
	r.finds(byItself)
	place := `{"newest":"2026-11-01T00:00:00","audited":"2026-11-01T00:00:00Z"}`
	if err := r.rdb.HSet(t.Context(), "rebake:{"+host+"}:poll:cms", "c:posts", place).Err(); err != nil {
		t.Fatal(err)
	}
	r.finds(byItself, "changed post:7")
}

func TestReconcile_aTermIsRenamed(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.put(4, pressItem{kind: "categories", name: "News"})
	cms.put(1, pressItem{kind: "users", name: "Ann"})
	r := s.watchingPress(cms)
	r.published(map[string]string{"/ann": "user:1"})
	r.finds(byItself)
	cms.put(4, pressItem{kind: "categories", name: "Old news"})
	cms.remove(1)
	r.finds(byItself, "changed category:4", "gone user:1")
	r.finds(byItself)
}

func TestReconcile_manyTermsAreReadBitByBit(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	for id := 1; id <= 450; id++ {
		cms.put(id, pressItem{kind: "categories", name: fmt.Sprint(id)})
	}
	r := s.watchingPress(cms)
	for range 3 { // five answers, two at a time
		r.poll(few)
	}
	cms.put(440, pressItem{kind: "categories", name: "another"})
	r.finds(few)
	r.finds(few)
	r.finds(few, "changed category:440")
}
