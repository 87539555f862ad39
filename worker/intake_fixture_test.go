package worker

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage/ledger"
	"rebake/storage/spool"
)

// spooling makes a process with a spool, which is attended until the end of
// the test and does not work yet.
func (s *website) spooling(change ...func(*settings)) *process {
	s.t.Helper()
	p := s.process(change...)
	p.openSpool(64 << 20)
	p.attend()
	s.await("Redis is admitted", func() bool { return p.intake.closed() == nil })
	return p
}

// openSpool gives the process a spool, and no knowledge of Redis yet.
func (p *process) openSpool(limit int64) {
	p.site.t.Helper()
	sp, err := spool.Open(spool.Config{Dir: filepath.Join(p.site.dir, "state", "spool"), Limit: limit})
	if err != nil {
		p.site.t.Fatal(err)
	}
	p.site.t.Cleanup(func() {
		if err := sp.Close(); err != nil {
			p.site.t.Errorf("close spool: %v", err)
		}
	})
	p.Spool, p.intake = sp, newIntake()
}

func (p *process) attend() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.site.t.Context()))
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = p.Attend(ctx) // never fails
	}()
	p.site.t.Cleanup(func() { cancel(); <-over })
}

// tookAtMost is less than it takes the client of a Redis that hangs to give up by
// itself: four times three seconds. Accept's own bound is much shorter, but so short
// a time says more of the machine than of Accept.
const tookAtMost = 10 * time.Second

// mustSpool sends a trigger that has to be spooled.
func (p *process) mustSpool(path string) *Spooled {
	p.site.t.Helper()
	started := time.Now()
	a, err := p.Accept(p.site.t.Context(), Trigger{Paths: onePath(path), Priority: ledger.Critical, Reason: "test"})
	if took := time.Since(started); took > tookAtMost {
		p.site.t.Errorf("the trigger took %s, and may take %s", took, tookAtMost)
	}
	if err != nil || a.Spooled == nil {
		p.site.t.Fatalf("accept = %+v, %v, want it spooled", a, err)
	}
	return a.Spooled
}

// awaitServed waits until readers get the text.
func (s *website) awaitServed(path, text string) {
	s.t.Helper()
	s.await(path+" shows "+text, func() bool { return s.served(path) == html(text) })
}

// admin is one connection that stays, whatever the test does to the others.
func (s *website) admin() *redis.Conn {
	c := s.rdb.Conn()
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

func do(t testing.TB, c interface {
	Do(context.Context, ...any) *redis.Cmd
}, args ...any) any {
	t.Helper()
	v, err := c.Do(context.WithoutCancel(t.Context()), args...).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatalf("%v: %v", args, err)
	}
	return v
}

// refusing makes commands fail before Redis sees them: those for whose words, in
// one line, f returns an error.
func refusing(f func(words string) error) redis.Hook { return refusingHook{f: f} }

type refusingHook struct {
	interceptor
	f func(string) error
}

func (h refusingHook) refuse(cmd redis.Cmder) error {
	err := h.f(strings.TrimSuffix(fmt.Sprintln(cmd.Args()...), "\n"))
	if err != nil {
		cmd.SetErr(err)
	}
	return err
}

func (h refusingHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := h.refuse(cmd); err != nil {
			return err
		}
		return next(ctx, cmd)
	}
}

func (h refusingHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var rest []redis.Cmder
		var failed error
		for _, cmd := range cmds {
			if err := h.refuse(cmd); err != nil {
				failed = err
				continue
			}
			rest = append(rest, cmd)
		}
		if len(rest) == 0 {
			return failed
		}
		return errors.Join(failed, next(ctx, rest))
	}
}

// begin is run without waiting: the worker begins when Redis is admitted.
func (p *process) begin() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.site.t.Context()))
	p.end, p.over = cancel, make(chan struct{})
	go func() {
		defer close(p.over)
		if err := p.Run(ctx); err != nil {
			p.site.t.Errorf("run: %v", err)
		}
	}()
	p.site.t.Cleanup(p.stop)
}
