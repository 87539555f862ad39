package api

import (
	"testing"
	"time"
)

func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		at, after string
		want      time.Time // zero for an error
	}{
		"a date":       {"2026-11-23T10:00:00+01:00", "", now},
		"a duration":   {"", "90m", now.Add(90 * time.Minute)},
		"both":         {"2026-11-24T09:00:00Z", "1h", time.Time{}},
		"the past":     {"2026-11-22T09:00:00Z", "", time.Time{}},
		"no date":      {"tomorrow", "", time.Time{}},
		"no duration":  {"", "soon", time.Time{}},
		"below zero":   {"", "-1h", time.Time{}},
		"far too late": {"2099-01-01T00:00:00Z", "", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := when(c.at, c.after, now)
			if c.want.IsZero() != (err != nil) || err == nil && !got.Equal(c.want) {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestCreateTrigger_scheduled(t *testing.T) {
	f := newFixture(t)
	w := f.createTrigger(`{"paths":["/a"],"tags":["post:42"],"after":"1h"}`)
	if w.Code != 202 {
		t.Fatalf("answer is %d %s", w.Code, w.Body)
	}
	f.triggered("/a")
	f.labelled("tag:post:42")
	if at := time.Until(f.site.all()[0].At); at < 50*time.Minute || at > time.Hour {
		t.Errorf("scheduled in %s, want an hour", at)
	}
	f.createTrigger(`{"globs":["/blog/*"],"after":"1h"}`).wants(400, "bad_time")
	f.createTrigger(`{"paths":["/a"],"at":"yesterday"}`).wants(400, "bad_time")
}
