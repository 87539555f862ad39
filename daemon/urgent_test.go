package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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
	const bulk, batch = 1000, 25
	s := newTestSite(t, "")
	s.start()
	s.source.latency.Store(int64(200 * time.Millisecond))
	published := func() int {
		pages, _ := os.ReadDir(filepath.Join(s.dir, "public/p")) // there is none before the first
		return len(pages)
	}
	began := time.Now()
	for first := 0; first < bulk; first += batch {
		var paths []string
		for i := range batch {
			slug := fmt.Sprint("page-", first+i)
			s.source.edit(slug)
			paths = append(paths, "/p/"+slug)
		}
		s.mustTriggerLow(paths)
	}
	// On a busy machine Redis may take its time, and the bulk has to be there.
	s.await("Redis has all of the bulk, and some of it is public", patience, func() bool {
		return s.spooled() == 0 && published() >= 20
	})
	pace := time.Since(began) / time.Duration(published())
	s.source.edit("edit")
	since := time.Now()
	s.mustTrigger("/p/edit")
	s.await("the edit is public", patience, func() bool { return s.shows("edit") })
	took, before := time.Since(since), published()
	if before > bulk {
		t.Fatal("the bulk was over before the edit")
	}
	t.Logf("public after %s; a page of the bulk takes %s, and %d of %d wait", took, pace, bulk-before+1, bulk)
	// A busy machine is slow with the bulk as well.
	if limit := 2*time.Second + 50*pace; took > limit {
		t.Errorf("the edit was public after %s, want less than %s", took, limit)
	}
	s.await("the bulk goes on", patience, func() bool { return published() > min(before+50, bulk) })
}
