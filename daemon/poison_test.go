package daemon

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// supervised runs rebake as systemd does: it is started again when it ends.
// started is called with each process. deaths is how many have ended so far.
func (s *testSite) supervised(started func(pid int)) (deaths *atomic.Int64) {
	deaths = new(atomic.Int64)
	stopping, over := make(chan struct{}), make(chan struct{})
	first := s.start()
	started(first.cmd.Process.Pid)
	go func() {
		defer close(over)
		for p := first; ; {
			select {
			case <-p.ended:
			case <-stopping:
				return
			}
			deaths.Add(1)
			select {
			case <-stopping:
				return
			default:
			}
			p = s.launch()
			started(p.cmd.Process.Pid)
		}
	}()
	s.t.Cleanup(func() { close(stopping); <-over }) // before the processes are stopped
	return deaths
}

// H114: a page that takes the process down takes nobody with it, and comes to
// an end: five deaths, the last two of them alone.
func TestServe_H114_PoisonPage(t *testing.T) {
	for name, c := range map[string]struct {
		memory uint64                    // that a process may have more than at its start; 0 is no limit
		poison func(http.ResponseWriter) // answers for the page that kills
	}{
		"that is killed while it renders": {},
		"that takes all memory": {
			memory: 96 << 20,
			poison: func(w http.ResponseWriter) {
				fmt.Fprintf(w, `{"slug": "poison", "version": 1, "text": %q}`, strings.Repeat("flour and water ", 2<<20))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needRedis(t)
			if c.poison != nil && raceDetector {
				t.Skip("the race detector takes several times the memory; scripts/test runs it once more without")
			}
			s := newTestSite(t, "")
			var pid atomic.Int64
			var harmless atomic.Bool
			source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path != "/posts/poison" || harmless.Load():
					s.source.ServeHTTP(w, r)
				case c.poison != nil:
					c.poison(w)
				default:
					_ = syscall.Kill(int(pid.Load()), syscall.SIGKILL)
				}
			}))
			t.Cleanup(source.Close)
			s.replace("rebake.yaml", s.source.server.URL, source.URL)
			s.replace("rebake.yaml", "timeout: 5s", "timeout: 5s, max_bytes: 67108864")
			var paths []string
			for i := range 30 {
				slug := fmt.Sprint("page-", i)
				s.source.edit(slug)
				paths = append(paths, "/p/"+slug)
			}
			s.source.edit("poison")
			s.source.latency.Store(int64(200 * time.Millisecond))
			var limit uint64
			deaths := s.supervised(func(p int) {
				pid.Store(int64(p))
				if c.memory > 0 && limit == 0 { // the first, which has started
					limit = dataOf(t, p) + c.memory
				}
				if limit > 0 {
					limitData(t, p, limit)
				}
			})
			if status, text := s.trigger(url.Values{"path": paths, "recheck": {"0"}}); status != http.StatusOK {
				t.Fatalf("trigger: %d %s", status, text)
			}
			s.trigger(url.Values{"path": {"/p/poison"}, "recheck": {"0"}}) // the answer may die with the process
			s.await("the poison page has failed", 2*patience, func() bool {
				return strings.Contains(s.run("explain", "/p/poison").out, "poison page: 5 runs")
			})
			for i := range 30 {
				if slug := fmt.Sprint("page-", i); !s.shows(slug) {
					s.await(slug+" is published", patience, func() bool { return s.shows(slug) })
				}
			}
			// A process that has so little memory may die at its start as well.
			if n := deaths.Load(); n < 5 || n > 5 && c.memory == 0 {
				t.Errorf("the process died %d times, want 5", n)
			}
			s.mustRun(words("explain /p/poison"), "failed", "alone", "a new trigger tries it again")
			s.mustRun(words("status"), "failed     1;")

			harmless.Store(true)
			s.mustRun(words("now /p/poison"), "/p/poison  done")
		})
	}
}

var dataLine = regexp.MustCompile(`VmData:\s+(\d+) kB`)

// dataOf is how much memory a process has now, in bytes.
func dataOf(t *testing.T, pid int) uint64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := dataLine.FindSubmatch(b)
	if m == nil {
		t.Fatalf("no size in %s", b)
	}
	kb, err := strconv.ParseUint(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

// limitData lets a process have so many bytes of memory, and no more.
func limitData(t *testing.T, pid int, bytes uint64) {
	err := unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes}, nil)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("limit the memory of rebake: %v", err)
	}
}
