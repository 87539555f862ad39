package redistest

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestServer_KeepsWhatItAcknowledgedOverKill(t *testing.T) {
	s := Start(t)
	c := s.Client()
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := ping(t.Context(), s.socket()); err == nil {
		t.Fatal("it answers after Kill")
	}
	s.Restart()
	if got, err := c.Get(t.Context(), "k").Result(); got != "v" {
		t.Errorf("k = %q, %v after Kill and Restart, want v", got, err)
	}
}

func TestServer_RestartsWhileItRuns(t *testing.T) {
	s := Start(t)
	c := s.Client()
	before := runID(t, c)
	s.Restart()
	if after := runID(t, c); after == before {
		t.Errorf("run id %s before and after Restart, want another", after)
	}
}

func TestServer_AnswersOnlyWhenNotPaused(t *testing.T) {
	s := Start(t)
	c := s.Client()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Ping(ctx).Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ping while paused = %v, want a deadline", err)
	}
	s.Resume()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("ping after Resume: %v", err)
	}
}

func TestServer_EndsWithItsTestEvenWhenPaused(t *testing.T) {
	var s *Server
	t.Run("inner", func(t *testing.T) {
		s = Start(t)
		s.Pause()
	})
	select {
	case <-s.proc.over:
	default:
		t.Error("the server outlives its test")
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("its directory outlives its test: %v", err)
	}
}

func TestServer_AddrIsURL(t *testing.T) {
	s := Start(t)
	opt, err := redis.ParseURL(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(opt)
	defer c.Close()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("ping %s: %v", s.Addr(), err)
	}
}

func TestStart_WithoutRedisServer(t *testing.T) {
	for ci, want := range map[string]string{"": "skip", "true": "fatal"} {
		t.Run("CI="+ci, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			t.Setenv("CI", ci)
			fake := &recorder{TB: t}
			done := make(chan struct{})
			go func() { defer close(done); Start(fake) }()
			<-done
			if fake.end != want {
				t.Errorf("the test ends by %q, want %q", fake.end, want)
			}
		})
	}
}

// recorder notes how a test ended instead of ending it.
type recorder struct {
	testing.TB
	end string
}

func (r *recorder) Skip(...any)  { r.end = "skip"; runtime.Goexit() }
func (r *recorder) Fatal(...any) { r.end = "fatal"; runtime.Goexit() }

func runID(t *testing.T, c *redis.Client) string {
	t.Helper()
	info := c.InfoMap(t.Context(), "server")
	if err := info.Err(); err != nil {
		t.Fatal(err)
	}
	return info.Item("Server", "run_id")
}
