package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
	"rebake/storage/ledger"
)

func TestFault_RedisDiesInTheMiddleOfManyPages(t *testing.T) {
	s := newWebsite(t)
	p := s.running(quick)
	var paths []string
	for i := range 200 {
		path := "/" + strconv.Itoa(i)
		s.set(path, fmt.Sprint("page ", i))
		paths = append(paths, path)
	}
	p.trigger(ledger.Low, paths[:100]...)
	s.await("some pages are published", func() bool { return s.served(paths[20]) != "" })
	p.trigger(ledger.Low, paths[100:]...)
	s.redis.Kill()
	s.redis.Restart()
	for i, path := range paths {
		p.await(path, ledger.PageFresh)
		s.wantServed(path, fmt.Sprint("page ", i))
	}
}

// interceptor looks at what a process sends to Redis.
type interceptor struct {
	redis.Hook
	before func(context.Context, redis.Cmder) error
}

func (i interceptor) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook sends what nobody objects to.
func (i interceptor) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var failed error
		sent := make([]redis.Cmder, 0, len(cmds))
		for _, cmd := range cmds {
			if err := i.before(ctx, cmd); err != nil {
				cmd.SetErr(err)
				failed = err
				continue
			}
			sent = append(sent, cmd)
		}
		if len(sent) == 0 {
			return failed
		}
		return errors.Join(next(ctx, sent), failed)
	}
}

func (i interceptor) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := i.before(ctx, cmd); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

// finishing calls f before the run of a page that was published tells the
// ledger.
func (p *process) finishing(f func(context.Context) error) {
	p.rdb.AddHook(interceptor{before: func(ctx context.Context, cmd redis.Cmder) error {
		if slices.Contains(cmd.Args(), any(string(ledger.Published))) {
			return f(ctx)
		}
		return nil
	}})
}

func TestFault_LedgerAwayAtTheEndOfARun(t *testing.T) {
	s := newWebsite(t)
	p := s.process(quick)
	var away atomic.Bool
	away.Store(true)
	p.finishing(func(context.Context) error {
		if away.Load() {
			return errors.New("connection refused")
		}
		return nil
	})
	p.run()
	s.set("/a", "text")
	p.trigger(ledger.Critical, "/a")
	s.await("the page is served", func() bool { return s.served("/a") == html("text") })
	if owed := p.state("/a").Owed; owed == nil {
		t.Error("the page is struck off although the ledger was not told")
	}
	away.Store(false)
	p.await("/a", ledger.PageFresh)
}

func TestFault_RunThatPublishedAfterItsTimeAsksAgain(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	var late atomic.Bool
	p.finishing(func(ctx context.Context) error {
		if late.CompareAndSwap(false, true) {
			return s.rdb.HSet(ctx, owedKey("/a"), "start", 1).Err() // in 1970
		}
		return nil
	})
	p.run()
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageFresh)
	const want = "published after its time"
	if got := p.state("/a").Page.Reason; got != want {
		t.Errorf("the page was rendered last because of %q, want %q", got, want)
	}
}

// H119: the lease is over, and two run at once. The old run does not even notice
// that it has lost: it ignores its context.
func TestFault_H119_OldRunDoesNotOverwriteANewerOne(t *testing.T) {
	s := newWebsite(t)
	p := s.running(quick, func(set *settings) { set.ledger.MaxRun = time.Second })
	p.unswept()
	s.set("/a", "old")
	started, gate := make(chan struct{}), make(chan struct{})
	s.on("/a", func(_ context.Context, n int, text string) (string, error) {
		if n == 1 {
			close(started)
			<-gate
		}
		return text, nil
	})
	p.trigger(ledger.Critical, "/a")
	<-started
	s.set("/a", "new")
	s.running() // which may be slow, and takes no second for all of a run
	p.await("/a", ledger.PageFresh)
	close(gate)
	p.stop() // waits for the old run
	s.wantServed("/a", "new")
}

func TestFault_FenceStopsARunThatWasPaused(t *testing.T) {
	s := newWebsite(t)
	p := s.running(quick)
	s.on("/a", func(ctx context.Context, n int, _ string) (string, error) {
		if n == 1 { // its worker's clock stands still, and another run takes over
			return "old", s.rdb.HSet(ctx, owedKey("/a"), "own", "another", "exp", 1).Err()
		}
		return "", errors.New("no such field")
	})
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageFailed)
	p.stop() // waits for the old run
	s.wantServed("/a", "")
}

func TestFault_RunThatLosesItsPageIsEnded(t *testing.T) {
	s := newWebsite(t)
	p := s.running(quick)
	started, ended := make(chan struct{}), make(chan error, 1)
	s.on("/a", func(ctx context.Context, n int, text string) (string, error) {
		if n == 1 {
			close(started)
			<-ctx.Done()
			ended <- context.Cause(ctx)
		}
		return text, ctx.Err()
	})
	p.trigger(ledger.Critical, "/a")
	<-started
	if err := s.rdb.HSet(t.Context(), owedKey("/a"), "own", "another", "exp", 1).Err(); err != nil {
		t.Fatal(err)
	}
	if cause := <-ended; !errors.Is(cause, storage.ErrLost) { // and not the end of its time
		t.Errorf("the render was ended by %v, want that the page is another run's", cause)
	}
	p.await("/a", ledger.PageFresh)
	if events := p.events("/a"); len(events) != 1 {
		t.Errorf("events = %v, want one: the run that lost its page says nothing", events)
	}
}
