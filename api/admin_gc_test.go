package api

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// fakeCollector answers every call alike.
type fakeCollector struct {
	report worker.GCReport
	gcErr  error
	asked  []worker.GC
}

func (c *fakeCollector) GC(_ context.Context, g worker.GC) (worker.GCReport, error) {
	c.asked = append(c.asked, g)
	return c.report, c.gcErr
}

func TestGC(t *testing.T) {
	found := []worker.GCItem{{Kind: worker.GCPage, Name: "/old", Why: "no route matches it"}}
	for name, c := range map[string]struct {
		method, url, body string
		asked             worker.GC
		dry               bool
	}{
		"dry run":          {"GET", "/v1/gc", "", worker.GC{DryRun: true}, true},
		"dry run, further": {"GET", "/v1/gc?after=/a", "", worker.GC{After: "/a", DryRun: true}, true},
		"for real":         {"POST", "/v1/gc", `{"after": "tags:7", "by": "ann"}`, worker.GC{After: "tags:7", By: "ann"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.site.report = worker.GCReport{Items: found, Next: "/old"}
			var got GCResult
			do(t, f.Admin(), c.method, c.url, c.body, admin).decode(&got)
			if diff := cmp.Diff(GCResult{DryRun: c.dry, Items: found, Next: "/old"}, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]worker.GC{c.asked}, f.site.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGC_nothingIsAList(t *testing.T) {
	if got := do(t, newFixture(t).Admin(), "GET", "/v1/gc", "", admin).object()["items"]; cmp.Diff([]any{}, got) != "" {
		t.Errorf("items are %v", got)
	}
}

func TestGC_refuses(t *testing.T) {
	for name, c := range map[string]struct {
		method, body string
		err          error
		status       int
		code         string
	}{
		"held":         {"POST", "{}", &worker.HeldError{Hold: ledger.Hold{Why: "an incident"}}, 409, "held"},
		"bad cursor":   {"GET", "", worker.ErrCursor, 400, "bad_after"},
		"no object":    {"POST", "[]", nil, 400, "bad_json"},
		"unknown key":  {"POST", `{"all": true}`, nil, 400, "bad_json"},
		"redis away":   {"POST", "{}", storage.Temporary(errors.New("inside")), 503, "unavailable"},
		"other method": {"DELETE", "", nil, 405, "method"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.site.gcErr = c.err
			do(t, f.Admin(), c.method, "/v1/gc", c.body, admin).wants(c.status, c.code)
		})
	}
}

func TestGC_needsTheToken(t *testing.T) {
	f := newFixture(t)
	do(t, f.Admin(), "POST", "/v1/gc", "{}").wants(401, "unauthorized")
	if len(f.site.asked) != 0 {
		t.Error("gc was run")
	}
}
