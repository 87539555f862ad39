package daemon

import (
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"rebake/storage/redistest"
)

// stopWithin is how long a stop may take, whatever goes on.
const stopWithin = 30 * time.Second

// signal sends a signal and returns when it was sent.
func (p *rebake) signal(s syscall.Signal) time.Time {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	return time.Now()
}

// wantEnd waits for the end of the process and wants it in time.
func (p *rebake) wantEnd(since time.Time, within time.Duration) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		p.t.Fatalf("still running %s after the signal", within)
	}
	p.t.Logf("ended %s after the signal: %s", time.Since(since).Round(time.Millisecond), p.cmd.ProcessState)
}

// H111: what runs for longer than a stop waits is given back, and done by the
// next start.
func TestServe_H111_StopDuringSixteenRenders(t *testing.T) {
	t.Parallel()
	needRedis(t)
	s := newTestSite(t, "")
	p := s.start()
	slugs := s.busy()
	p.wantEnd(p.signal(syscall.SIGTERM), stopWithin)
	since := time.Now()
	s.launch()
	s.wantRecovered(since, slugs)
}

// H111
func TestServe_H111_SecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	needRedis(t)
	s := newTestSite(t, "")
	s.replace("rebake.yaml", "timeout: 5s", "timeout: 60s") // no render ends before the second signal
	p := s.start()
	slugs := s.busy()
	p.signal(syscall.SIGTERM)
	s.await("the stop has begun", patience, func() bool {
		_, err := http.Get("http://" + s.listen + "/")
		return err != nil
	})
	p.wantEnd(p.signal(syscall.SIGTERM), 4*time.Second) // one signal alone would be given ten
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %s, want by the signal", p.cmd.ProcessState)
	}
	since := time.Now()
	s.launch()
	s.wantRecovered(since, slugs)
}

// H111
func TestServe_H111_StopWhileRedisIsDown(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := newTestSite(t, "redis: "+redis.Addr())
	p := s.start()
	slugs := s.busy()
	redis.Kill()
	p.wantEnd(p.signal(syscall.SIGTERM), stopWithin)
	redis.Restart()
	since := time.Now()
	s.launch()
	s.wantRecovered(since, slugs)
}

// H112: a worker stands still for longer than its lease, another one takes its
// page, and the first goes on with what it had read.
func TestServe_H112_PausedWorkerDoesNotPublishWhatIsOld(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := newTestSite(t, "redis: "+redis.Addr())
	s.replace("rebake.yaml", "timeout: 5s", "timeout: 60s")
	s.start("--only", "api")
	paused := s.start("--only", "worker")
	s.source.edit("a")
	held, release := s.source.holdNext("a")
	defer release()
	if status, text := s.trigger(url.Values{"path": {"/p/a"}, "recheck": {"0"}}); status != http.StatusOK {
		t.Fatalf("trigger: %d %s", status, text)
	}
	<-held // it has read version 1
	s.source.edit("a")
	paused.signal(syscall.SIGSTOP)
	s.start("--only", "worker")
	took := s.await("the other worker publishes version 2", patience, func() bool { return s.shows("a") })
	t.Logf("taken over after %s", took.Round(time.Millisecond))
	release()
	paused.signal(syscall.SIGCONT)
	paused.stop() // waits for its run
	if !s.shows("a") {
		t.Errorf("the page is %q, and was version 2", s.file("a"))
	}
	if code := paused.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the paused worker ended with %d, want that it comes to its own end", code)
	}
}
