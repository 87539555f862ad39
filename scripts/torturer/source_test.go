package main

import (
	"encoding/json"
	"net/http"
	"testing"
)

func newTestSource(t *testing.T, pages int) *Source {
	t.Helper()
	lab := newLab(t.TempDir(), "", false, 1, t.Output())
	t.Cleanup(lab.close)
	return lab.NewSource(pages)
}

// get asks the source for a page's item.
func get(t *testing.T, s *Source, path string) (status int, items []item) {
	t.Helper()
	res, err := http.Get(s.URL + "/items?path=" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		if err := json.NewDecoder(res.Body).Decode(&items); err != nil {
			t.Fatal(err)
		}
	}
	return res.StatusCode, items
}

func TestSource_TellsTheNewestVersion(t *testing.T) {
	s := newTestSource(t, 2)
	path := PagePath(1)
	want := s.Bump(path)
	_, items := get(t, s, path)
	if len(items) != 1 || items[0].Version != want {
		t.Fatalf("it tells %v, want version %d alone", items, want)
	}
	if v, err := readPage(path, []byte(makePage(items[0]))); v != want || err != nil {
		t.Errorf("its page reads as version %d, %v; want %d", v, err, want)
	}
}

func TestSource_AnswerIsOlderThanAnEditMeanwhile(t *testing.T) {
	s := newTestSource(t, 1)
	path := PagePath(0)
	s.OnRead(func(string) { s.Bump(path) }) // after it was read, before the answer
	if _, items := get(t, s, path); items[0].Version != 1 {
		t.Errorf("it tells version %d; the item was read at version 1", items[0].Version)
	}
}

func TestSource_DeletedItem(t *testing.T) {
	s := newTestSource(t, 1)
	path := PagePath(0)
	deleted := s.Delete(path)
	if status, items := get(t, s, path); status != http.StatusOK || len(items) != 0 {
		t.Errorf("it tells %d, %v; want an empty list", status, items)
	}
	back := s.Bump(path)
	if _, items := get(t, s, path); len(items) != 1 {
		t.Errorf("it tells %v after the next edit, want one", items)
	}
	if !s.GoneSince(path, deleted) || s.GoneSince(path, back) {
		t.Errorf("GoneSince does not know that it was away at version %d and back at %d", deleted, back)
	}
}

func TestSource_TouchLeavesTheDeletedDeleted(t *testing.T) {
	s := newTestSource(t, 1)
	path := PagePath(0)
	s.Delete(path)
	if v := s.Touch(path); !s.GoneSince(path, v) {
		t.Errorf("at version %d it is there", v)
	}
}

func TestSource_FailsNoMoreInARowThanAsked(t *testing.T) {
	s := newTestSource(t, 1)
	s.Set(Mood{Failing: 1, MostFailures: 2})
	for i, want := range []int{500, 500, 200, 500, 500, 200} {
		if status, _ := get(t, s, PagePath(0)); status != want {
			t.Errorf("answer %d is %d, want %d", i+1, status, want)
		}
	}
	if s.Failures() != 4 || s.Renders() != 6 {
		t.Errorf("it counts %d failures of %d answers, want 4 of 6", s.Failures(), s.Renders())
	}
}
