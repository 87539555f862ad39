package source

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

func TestGet_neverMoreAtOnceThanAllowed(t *testing.T) {
	var now, most atomic.Int64
	s := newSource(t, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		runtime.Gosched()
		_, _ = io.WriteString(w, "[]")
	}, func(c *Config) { c.Concurrency = 3 })
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			if _, err := s.Get(t.Context(), "/x", i%4 == 0); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 {
		t.Errorf("%d requests at once, want 3 at most", most.Load())
	}
}

func TestGet_waitingForASlotIsNoPartOfTheTimeout(t *testing.T) {
	const timeout = time.Second // enough for the second on a busy machine
	entered, leave := make(chan struct{}), make(chan struct{})
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/first" {
			close(entered)
			<-r.Context().Done()
			<-leave
			return
		}
		_, _ = io.WriteString(w, "[]")
	}, func(c *Config) { c.Concurrency, c.Timeout = 1, timeout })
	first := make(chan error)
	go func() {
		_, err := s.Get(t.Context(), "/first", false)
		first <- err
	}()
	<-entered
	second := make(chan error)
	go func() {
		_, err := s.Get(t.Context(), "/second", false)
		second <- err
	}()
	if err := <-first; !isTemporary(err) {
		t.Errorf("first: error %v, want its time-out", err)
	}
	close(leave)
	// The second has waited for as long as one request may take.
	if err := <-second; err != nil {
		t.Errorf("second: %v", err)
	}
}

func TestGet_contextEndsTheWaitForASlot(t *testing.T) {
	entered := make(chan struct{})
	s := newSource(t, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}, func(c *Config) { c.Concurrency = 1 })
	hold, release := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = s.Get(hold, "/x", false)
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Get(ctx, "/y", true); !isTemporary(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled, temporary", err)
	}
	release()
	<-done
}
