package api

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// fakeReconciler answers every call alike.
type fakeReconciler struct {
	watches      []string
	reconciled   worker.Reconciled
	reconcileErr error
	reconciles   []worker.Reconciliation
}

func (r *fakeReconciler) Watches() []string { return r.watches }

func (r *fakeReconciler) Reconcile(_ context.Context, asked worker.Reconciliation) (worker.Reconciled, error) {
	r.reconciles = append(r.reconciles, asked)
	return r.reconciled, r.reconcileErr
}

// fakePolled is what the ledger remembers of polls.
type fakePolled struct{ polls []ledger.PollState }

func (p *fakePolled) Polls(context.Context) ([]ledger.PollState, error) { return p.polls, nil }

func TestReconcile(t *testing.T) {
	found := worker.Reconciled{Source: "cms", Found: []worker.Found{{Item: "post:42", Version: "7", What: "changed"}}, Count: 1, Requests: 6}
	for name, c := range map[string]struct {
		body  string
		asked worker.Reconciliation
	}{
		"a look":     {`{"source": "cms"}`, worker.Reconciliation{Source: "cms"}},
		"everything": {`{"source": "cms", "full": true, "by": "ann"}`, worker.Reconciliation{Source: "cms", Full: true}},
		"dry run":    {`{"source": "cms", "dry_run": true}`, worker.Reconciliation{Source: "cms", DryRun: true}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.site.reconciled = found
			var got ReconcileResult
			do(t, f.Admin(), "POST", "/v1/reconcile", c.body, admin).decode(&got)
			if diff := cmp.Diff(ReconcileResult{c.asked.DryRun, found}, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]worker.Reconciliation{c.asked}, f.site.reconciles); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReconcile_refuses(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		err    error
		status int
		code   string
	}{
		"held":           {`{"source": "cms"}`, &worker.HeldError{Hold: ledger.Hold{Why: "an incident"}}, 409, "held"},
		"asked already":  {`{"source": "cms"}`, worker.ErrPolled, 409, "busy"},
		"no such source": {`{"source": "shop"}`, worker.ErrNotWatched, 404, "no_source"},
		"source fails":   {`{"source": "cms"}`, storage.Temporary(errors.New("cms GET /posts: status 500")), 502, "source_failed"},
		"no object":      {`[]`, nil, 400, "bad_json"},
		"unknown key":    {`{"name": "cms"}`, nil, 400, "bad_json"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.site.reconcileErr = c.err
			do(t, f.Admin(), "POST", "/v1/reconcile", c.body, admin).wants(c.status, c.code)
		})
	}
}

func TestReconcile_saysWhatCanBeAsked(t *testing.T) {
	f := newFixture(t)
	f.site.watches, f.site.reconcileErr = []string{"cms", "wp"}, worker.ErrNotWatched
	if got := do(t, f.Admin(), "POST", "/v1/reconcile", `{"source": "shop"}`, admin).problem().Message; !strings.Contains(got, "cms, wp") {
		t.Errorf("it says %q", got)
	}
}

func TestReconcile_needsTheToken(t *testing.T) {
	f := newFixture(t)
	do(t, f.Admin(), "POST", "/v1/reconcile", `{"source": "cms"}`).wants(401, "unauthorized")
	if len(f.site.reconciles) != 0 {
		t.Error("the source was asked")
	}
}

func TestReconcile_lists(t *testing.T) {
	f := newFixture(t)
	f.site.watches = []string{"cms", "wp"}
	f.state.polls = []ledger.PollState{{Source: "away", Found: 1}, {Source: "wp", Found: 3}}
	var got ReconcileSources
	do(t, f.Admin(), "GET", "/v1/reconcile", "", admin).decode(&got)
	want := ReconcileSources{Sources: []ledger.PollState{{Source: "cms"}, {Source: "wp", Found: 3}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestReconcile_isCounted(t *testing.T) {
	f := newFixture(t)
	f.site.watches = []string{"wp"}
	f.state.polls = []ledger.PollState{{Source: "wp", Total: 7}}
	w := httptest.NewRecorder()
	f.Admin().ServeHTTP(w, newRequest("GET", "/metrics", "", admin))
	if want := `rebake_reconcile_found_total{source="wp"} 7`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("no %q in the metrics", want)
	}
}

// lateWriter remembers until when it may be written to.
type lateWriter struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (w *lateWriter) SetWriteDeadline(t time.Time) error { w.until = t; return nil }

func TestReconcile_answerMayComeLaterThanOthers(t *testing.T) {
	f := newFixture(t)
	w := &lateWriter{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", "/v1/reconcile", strings.NewReader(`{"source": "cms"}`))
	r.Header.Set("Authorization", "Bearer "+adminToken)
	f.Admin().ServeHTTP(w, r)
	if left := time.Until(w.until); w.Code != 200 || left < 50*time.Second {
		t.Errorf("%d: it may be written for %s; a poll takes up to 40 s", w.Code, left)
	}
}
