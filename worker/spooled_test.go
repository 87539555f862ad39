package worker

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

var comparePaths = cmp.Comparer(func(a, b storage.Path) bool { return a == b })

func TestSpooled_KeepsWhatATriggerSays(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	p.openSpool(1 << 20)
	want := Trigger{
		Paths: onePath("/a"), Known: onePath("/old"), Labels: []ledger.Label{ledger.Tag("x")},
		Items:    []Item{{Tag: "post:1", Version: version(2)}, {Tag: "media:3"}},
		Priority: ledger.Critical, Reason: "webhook wordpress", Recheck: true, Edited: time.Date(2026, 11, 23, 10, 0, 5, 0, time.UTC), Settle: 500 * time.Millisecond, MaxWait: 10 * time.Second,
	}
	spooled, err := p.spool(want, storage.Temporary(errors.New("away")))
	if err != nil {
		t.Fatal(err)
	}
	labels := []ledger.Label{ledger.Tag("x"), ledger.Item("post:1"), ledger.Item("media:3")}
	if diff := cmp.Diff(labels, spooled.Labels); diff != "" {
		t.Errorf("labels that are told (-want +got):\n%s", diff)
	}
	var rec spooledTrigger
	err = p.Spool.Drain(t.Context(), func(_ context.Context, records [][]byte) error { return json.Unmarshal(records[0], &rec) })
	if err != nil {
		t.Fatal(err)
	}
	got, err := rec.parse()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, comparePaths); diff != "" {
		t.Errorf("trigger (-want +got):\n%s", diff)
	}
}

func TestSpooled_RecordOfAnOlderVersion(t *testing.T) {
	var rec spooledTrigger
	old := `{"id":"spool-x","accepted":"2026-11-01T10:00:00Z","paths":["/a"],"labels":["tag:x"],"priority":"critical","reason":"api","recheck":true}`
	if err := json.Unmarshal([]byte(old), &rec); err != nil {
		t.Fatal(err)
	}
	got, err := rec.parse()
	if err != nil {
		t.Fatal(err)
	}
	want := Trigger{Paths: onePath("/a"), Labels: []ledger.Label{ledger.Tag("x")}, Priority: ledger.Critical, Reason: "api", Recheck: true}
	if diff := cmp.Diff(want, got, comparePaths); diff != "" {
		t.Errorf("trigger (-want +got):\n%s", diff)
	}
}

func TestSpooled_ItemIsAnnouncedAndResolvedWhenRedisIsBack(t *testing.T) {
	s := newWebsite(t)
	p := s.spooling()
	p.run()
	p.showing("/a", "post:1", 1)
	s.set("/new", "new")
	s.resolvesTo(renderer.Resolved{Paths: onePath("/new")})
	s.redis.Pause()
	a, err := p.Accept(t.Context(), edited("", "post:1", 2))
	if err != nil || a.Spooled == nil {
		t.Errorf("accept = %+v, %v, want it spooled", a, err)
	}
	s.redis.Resume()
	s.awaitServed("/new", "new")
	p.await("/a", ledger.PageRetrying) // it shows an older version than announced
}
