package bounded

import (
	"sync"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestMap_remembers(t *testing.T) {
	m := New[string, int](10, time.Minute)
	m.Put("a", 1, now)
	m.Put("a", 2, now)
	if v, ok := m.Get("a", now.Add(59*time.Second)); v != 2 || !ok {
		t.Errorf("a is %d, %v, want the 2 that was put last", v, ok)
	}
	if _, ok := m.Get("b", now); ok {
		t.Error("b is remembered, and was never put")
	}
}

func TestMap_forgetsInTime(t *testing.T) {
	m := New[string, int](10, time.Minute)
	m.Put("a", 1, now)
	if _, ok := m.Get("a", now.Add(time.Minute)); ok || m.Len() != 0 {
		t.Errorf("a is remembered after its time, among %d", m.Len())
	}
}

func TestMap_putGivesTimeAgain(t *testing.T) {
	m := New[string, int](10, time.Minute)
	m.Put("a", 1, now)
	m.Put("a", 1, now.Add(30*time.Second))
	if _, ok := m.Get("a", now.Add(80*time.Second)); !ok {
		t.Error("a is forgotten a minute after it was first put, not last")
	}
}

func TestMap_forgetsWhatWasUsedLeastLately(t *testing.T) {
	m := New[string, int](2, time.Minute)
	m.Put("a", 1, now)
	m.Put("b", 2, now)
	m.Get("a", now)
	m.Put("c", 3, now)
	for key, want := range map[string]bool{"a": true, "b": false, "c": true} {
		if _, ok := m.Get(key, now); ok != want {
			t.Errorf("%s is remembered: %v, want %v", key, ok, want)
		}
	}
}

func TestMap_isBounded(t *testing.T) {
	m := New[int, int](100, time.Hour)
	var users sync.WaitGroup
	for u := range 4 {
		users.Go(func() {
			for i := range 10_000 {
				m.Put(u*10_000+i, i, now)
			}
		})
	}
	users.Wait()
	if m.Len() != 100 || len(m.entries) != 100 {
		t.Errorf("%d entries in order and %d by key, want 100", m.Len(), len(m.entries))
	}
}
