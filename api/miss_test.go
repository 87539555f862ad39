package api

import (
	"net/http"
	"testing"
)

func TestMiss_saysWhetherThePageIsAbsentOrRemovedForGood(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]int{"/absent": http.StatusNotFound, "/kept": http.StatusGone, "/a.gz": http.StatusNotFound} {
		got := do(t, f.Public(), http.MethodGet, path, "")
		if got.Code != want || got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, Cache-Control %q; want %d and no-store", path, got.Code, got.Header().Get("Cache-Control"), want)
		}
	}
}
