package daemon

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/api"
	"rebake/daemon/config"
	"rebake/storage/ledger"
	"rebake/worker"
)

// askingReconcile is a command over a rebake whose sources answer in turn; it
// notes what it was asked for.
type askingReconcile struct {
	asking
	out   bytes.Buffer
	asked []api.ReconcileRequest
}

func newAskingReconcile(t *testing.T, sources []string, answers ...worker.Reconciled) *askingReconcile {
	t.Helper()
	a := &askingReconcile{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			var known api.ReconcileSources
			for _, name := range sources {
				known.Sources = append(known.Sources, ledger.PollState{Source: name})
			}
			_ = json.NewEncoder(w).Encode(known)
			return
		}
		var req api.ReconcileRequest
		_ = json.NewDecoder(r.Body).Decode(&req)
		req.By = ""
		a.asked = append(a.asked, req)
		if len(answers) < len(a.asked) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte(`{"message": "cms GET /posts: status 500"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(api.ReconcileResult{DryRun: req.DryRun, Reconciled: answers[len(a.asked)-1]})
	}))
	t.Cleanup(s.Close)
	a.asking = asking{client: &client{base: s.URL, http: s.Client()}, cfg: &config.Config{}, screen: screen{Writer: &a.out}}
	return a
}

func TestReconcileCommand_goesOnUntilAllIsCompared(t *testing.T) {
	a := newAskingReconcile(t, []string{"cms"},
		worker.Reconciled{Source: "cms", Found: []worker.Found{{Item: "post:1", What: "new", Version: "v"}}, Count: 1, Compared: 100, Requests: 50, Open: true},
		worker.Reconciled{Source: "cms", Found: []worker.Found{{Path: "/a", What: "gone"}}, Count: 1, Compared: 20, Requests: 3, Notes: []string{"users: hidden"}})
	if err := a.reconcile(t.Context(), "", false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]api.ReconcileRequest{{Source: "cms", Full: true}, {Source: "cms"}}, a.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	for _, want := range []string{"new      post:1  v\n", "gone     /a\n", "cms: triggered 2 changes; 120 items compared in 53 requests", "users: hidden"} {
		if !strings.Contains(a.out.String(), want) {
			t.Errorf("no %q in\n%s", want, &a.out)
		}
	}
}

func TestReconcileCommand_dryRunDoesNotGoOn(t *testing.T) {
	a := newAskingReconcile(t, nil, worker.Reconciled{Source: "cms", Open: true})
	if err := a.reconcile(t.Context(), "cms", true); err != nil {
		t.Fatal(err)
	}
	if want := "not everything was compared"; len(a.asked) != 1 || !strings.Contains(a.out.String(), want) {
		t.Errorf("asked %d times, no %q in\n%s", len(a.asked), want, &a.out)
	}
}

func TestReconcileCommand_oneThatFailsDoesNotKeepTheOthers(t *testing.T) {
	a := newAskingReconcile(t, []string{"one", "two"}, worker.Reconciled{Source: "one"})
	err := a.reconcile(t.Context(), "", false)
	if err == nil || err.Error() != "not reconciled: two" || !strings.Contains(a.out.String(), "one: nothing has changed") {
		t.Errorf("%v, and it prints\n%s", err, &a.out)
	}
}

func TestReconcileCommand_withNothingToAsk(t *testing.T) {
	a := newAskingReconcile(t, nil)
	if err := a.reconcile(t.Context(), "", false); err == nil || !strings.Contains(err.Error(), "kind wordpress") {
		t.Errorf("it ends with %v", err)
	}
}

func TestReconcileCommand_json(t *testing.T) {
	a := newAskingReconcile(t, []string{"cms"}, worker.Reconciled{Source: "cms", Found: []worker.Found{{Item: "post:1", What: "new"}}, Count: 1})
	a.json = true
	if err := a.reconcile(t.Context(), "", true); err != nil {
		t.Fatal(err)
	}
	want := `{"dry_run":true,"source":"cms","found":[{"item":"post:1","what":"new"}],"count":1,"compared":0,"requests":0,"open":false}` + "\n"
	if diff := cmp.Diff(want, a.out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatus_tellsOfPolls(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	writePolls(screen{Writer: &out}, api.Status{At: now, Reconcile: []ledger.PollState{
		{Source: "cms", At: now.Add(-2 * time.Minute), Found: 3},
		{Source: "wp", At: now.Add(-time.Minute), Open: true},
		{Source: "shop", At: now.Add(-time.Minute), Error: "status 500"},
		{Source: "tried", At: now.Add(-time.Minute), Next: now.Add(4 * time.Minute), Error: "status 501"},
		{Source: "late", At: now.Add(-time.Hour), Next: now.Add(-time.Minute), Error: "status 502"},
	}})
	for _, want := range []string{"reconcile", "cms: 2m0s ago, found 3\n", "wp: 1m0s ago, found 0, goes on\n", "shop: 1m0s ago, status 500\n",
		"tried: 1m0s ago, status 501; tried again in 4m0s\n", "status 502; the next try is due\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}
