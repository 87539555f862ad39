package daemon

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rebake/storage/redistest"
)

// recoverWithin is the promise: so long after a restart everything goes on that
// was accepted before, whatever was killed. A machine that is busy with other
// things takes longer: it gets three times as long again as a start has taken.
const recoverWithin = 5 * time.Second

// busy triggers many slow pages and returns when some run; half of them wait.
// The source answers quickly from then on.
func (s *testSite) busy() (slugs []string) {
	s.t.Helper()
	s.source.latency.Store(int64(time.Minute)) // nobody who was asked before the kill answers
	var paths []string
	for i := range 40 {
		slugs = append(slugs, fmt.Sprint("page-", i))
		s.source.edit(slugs[i])
		paths = append(paths, "/p/"+slugs[i])
	}
	if status, text := s.trigger(url.Values{"path": paths, "recheck": {"0"}}); status != http.StatusOK {
		s.t.Fatalf("trigger: %d %s", status, text)
	}
	s.await("pages are rendered", patience, func() bool { return s.source.requests.Load() >= 14 })
	s.source.latency.Store(0)
	return slugs
}

func (s *testSite) wantRecovered(since time.Time, slugs []string) {
	s.t.Helper()
	s.await("all pages are published", patience, func() bool {
		for _, slug := range slugs {
			if !s.shows(slug) {
				return false
			}
		}
		return true
	})
	took := time.Since(since)
	s.t.Logf("all %d pages published %s after the restart", len(slugs), took.Round(time.Millisecond))
	if limit := recoverWithin + 3*s.starts; took > limit {
		s.t.Errorf("%s after the restart, want at most %s; a start takes %s", took, limit, s.starts)
	}
}

// redisOf returns the pid of a rebake's own redis-server.
func redisOf(t *testing.T, p *rebake) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tasks { // a child is one of the thread that started it
		more, _ := os.ReadFile(name)
		b = append(append(b, ' '), more...)
	}
	for _, field := range strings.Fields(string(b)) {
		comm, _ := os.ReadFile("/proc/" + field + "/comm")
		if strings.Contains(string(comm), "redis") || strings.Contains(string(comm), "valkey") {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatal("rebake has no redis-server of its own")
	return 0
}

func TestRecovery_OfEverything(t *testing.T) {
	t.Parallel()
	needRedis(t)
	s := newTestSite(t, "")
	p := s.start()
	slugs := s.busy()
	redis := redisOf(t, p)
	p.kill()
	_ = syscall.Kill(redis, syscall.SIGKILL) // it may be over by itself
	since := time.Now()
	s.launch()
	s.wantRecovered(since, slugs)
}

func TestRecovery_OfItsOwnRedis(t *testing.T) {
	t.Parallel()
	needRedis(t)
	s := newTestSite(t, "")
	p := s.start()
	const pages, latency = 60, 200 * time.Millisecond
	s.source.latency.Store(int64(latency))
	var slugs, paths []string
	for i := range pages {
		slugs = append(slugs, fmt.Sprint("page-", i))
		s.source.edit(slugs[i])
		paths = append(paths, "/p/"+slugs[i])
	}
	if status, text := s.trigger(url.Values{"path": paths, "recheck": {"0"}}); status != http.StatusOK {
		t.Fatalf("trigger: %d %s", status, text)
	}
	s.await("pages are rendered", patience, func() bool { return s.source.requests.Load() >= 20 })
	since := time.Now()
	if err := syscall.Kill(redisOf(t, p), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.wantRecovered(since, slugs)
	if !strings.Contains(p.log.String(), "redis-server ended") {
		t.Error("Redis was not killed")
	}
}

func TestRecovery_OfAWorkerBesideOthers(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := newTestSite(t, "redis: "+redis.Addr())
	s.start("--only", "api")
	worker := s.start("--only", "worker")
	slugs := s.busy()
	worker.kill()
	since := time.Now()
	s.launch("--only", "worker")
	s.wantRecovered(since, slugs)
}

func TestRecovery_OfAWorkerByAnotherThatLives(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := newTestSite(t, "redis: "+redis.Addr())
	s.start("--only", "api")
	worker := s.start("--only", "worker")
	slugs := s.busy()
	s.start("--only", "worker")
	since := time.Now()
	worker.kill()
	s.wantRecovered(since, slugs)
}
