package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"rebake/api"
)

// mustTriggerLow triggers pages at low priority.
func (s *testSite) mustTriggerLow(paths []string) {
	s.t.Helper()
	body, err := json.Marshal(api.CreateTrigger{Paths: paths, Priority: "low"})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+s.admin+"/v1/triggers", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(read(s.t, s, ".rebake/admin-token")))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		s.t.Fatalf("trigger at low priority: %s", res.Status)
	}
}

// H120: a bulk does not delay an edit. scripts/bench urgent measures the same
// with 50,000 pages.
func TestServe_H120_EditDuringABulk(t *testing.T) {
	t.Parallel()
	needRedis(t)
	const bulk = 1000
	s := newTestSite(t, "")
	s.start()
	s.source.latency.Store(int64(100 * time.Millisecond))
	published := func() (n int) {
		for i := range bulk {
			if s.file(fmt.Sprint("page-", i)) != "" {
				n++
			}
		}
		return n
	}
	for batch := range bulk / 100 {
		var paths []string
		for i := range 100 {
			slug := fmt.Sprint("page-", 100*batch+i)
			s.source.edit(slug)
			paths = append(paths, "/p/"+slug)
		}
		s.mustTriggerLow(paths)
	}
	s.source.edit("edit")
	since := time.Now()
	s.mustTrigger("/p/edit")
	took := s.await("the edit is public", 10*time.Second, func() bool { return s.shows("edit") })
	if took > 2*time.Second {
		t.Errorf("the edit was public after %s, want less than 2s", took)
	}
	before := published()
	if before == bulk {
		t.Fatal("the bulk was over before the edit")
	}
	t.Logf("public after %s, with %d of %d pages of the bulk waiting", time.Since(since).Round(time.Millisecond), bulk-before, bulk)
	s.await("the bulk goes on", 10*time.Second, func() bool { return published() > before+50 })
}
