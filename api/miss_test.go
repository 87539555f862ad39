package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestMiss_saysWhetherThePageIsAbsentOrRemovedForGood(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]int{"/absent": http.StatusNotFound, "/kept": http.StatusGone, "/a.gz": http.StatusNotFound} {
		got := httptest.NewRecorder() // answers to visitors are text
		f.Public().ServeHTTP(got, httptest.NewRequest(http.MethodGet, path, nil))
		if got.Code != want || got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, Cache-Control %q; want %d and no-store", path, got.Code, got.Header().Get("Cache-Control"), want)
		}
	}
}
