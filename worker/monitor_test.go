package worker

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/ledger"
)

// ask sends a request to a handler and returns status and body.
func ask(h http.Handler, method, target string) (*http.Response, string) {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, target, nil))
	return rec.Result(), rec.Body.String()
}

func TestMonitor_ListsTheQueues(t *testing.T) {
	p := newWebsite(t).process()
	if err := p.queue.register(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, body := ask(Monitor(p.rdb), "GET", "/api/queues")
	var answer struct{ Queues []struct{ Queue string } }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	var got []string
	for _, q := range answer.Queues {
		got = append(got, q.Queue)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"critical", "default", "low"}, got); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
}

func TestMonitor_TasksSayWhatTheyAreFor(t *testing.T) {
	p := newWebsite(t).process()
	for name, c := range map[string]struct {
		token ledger.Token
		list  string
		want  string
	}{
		"a page":            {ledger.Token{ID: "1-x", Path: mustPath("/café/a")}, "low/pending", `{"path":"/café/a","token":"1-x"}`},
		"a label":           {ledger.Token{ID: "2-x", Label: "tag:post:42", Priority: ledger.Critical}, "critical/pending", `{"label":"tag:post:42","token":"2-x"}`},
		"a page that waits": {ledger.Token{ID: "3-x", Path: mustPath("/b"), Wait: time.Hour}, "low/scheduled", `{"path":"/b","token":"3-x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := p.queue.add(t.Context(), c.token); err != nil {
				t.Fatal(err)
			}
			_, body := ask(Monitor(p.rdb), "GET", "/api/queues/"+c.list+"_tasks")
			var answer struct {
				Tasks []struct{ ID, Payload string }
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			for _, task := range answer.Tasks {
				if task.ID == c.token.ID && task.Payload == c.want {
					return
				}
			}
			t.Errorf("tasks %v, want one with %s", answer.Tasks, c.want)
		})
	}
}

func TestMonitor_ChangesNothing(t *testing.T) {
	p := newWebsite(t).process()
	if err := p.queue.add(t.Context(), ledger.Token{ID: "1-x", Path: mustPath("/a")}); err != nil {
		t.Fatal(err)
	}
	res, body := ask(Monitor(p.rdb), "DELETE", "/api/queues/low/pending_tasks/1-x")
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a deletion is answered %s %s, want 405", res.Status, body)
	}
}

func TestMonitor_PageAsksNobodyElse(t *testing.T) {
	res, body := ask(Monitor(newWebsite(t).rdb), "GET", "/")
	if !strings.Contains(body, `<div id="root">`) {
		t.Fatalf("the page is %s", body)
	}
	if policy := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'self';") {
		t.Errorf("Content-Security-Policy %q lets it ask others", policy)
	}
}
