package ledger

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage/redistest"
)

// beforeScripts calls do once, before the next script is sent to Redis.
func (f *fixture) beforeScripts(do func()) {
	f.rdb.AddHook(&scriptHook{do: sync.OnceFunc(do)})
}

type scriptHook struct{ do func() }

func (h *scriptHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *scriptHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "evalsha" {
			h.do()
		}
		return next(ctx, cmds)
	}
}

func (h *scriptHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" {
			h.do()
		}
		return next(ctx, cmd)
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	// fired returns the receipts of all timers that are due.
	fired := func(f *fixture) (list []Receipt) {
		t.Helper()
		timers, err := f.DueTimers(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, timer := range timers {
			r, err := f.Fire(t.Context(), timer, Default)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, r)
		}
		return list
	}

	t.Run("of a page fires once, when its time has come", func(t *testing.T) {
		f := newFixture(t, s)
		p := path(t, "/news")
		if err := f.Schedule(t.Context(), p, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if list := fired(f); len(list) != 0 {
			t.Errorf("fired too early: %+v", list)
		}
		f.elapse(time.Minute)
		if list := fired(f); len(list) != 1 || list[0].Token == nil || list[0].Token.Path != p {
			t.Errorf("fired %+v, want a token of %s", list, p)
		}
		if list := fired(f); len(list) != 0 {
			t.Errorf("fired twice: %+v", list)
		}
	})

	t.Run("of a label fires a walk, once", func(t *testing.T) {
		f := newFixture(t, s)
		if err := f.ScheduleLabel(t.Context(), Tag("post:42"), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		f.elapse(time.Minute)
		if list := fired(f); len(list) != 1 || list[0].Token == nil || list[0].Token.Label != Tag("post:42") {
			t.Errorf("fired %+v, want a token of the walk", list)
		}
		if list := fired(f); len(list) != 0 {
			t.Errorf("fired twice: %+v", list)
		}
	})

	t.Run("again moves the time", func(t *testing.T) {
		f := newFixture(t, s)
		for _, in := range []time.Duration{time.Minute, time.Hour} {
			if err := f.Schedule(t.Context(), path(t, "/news"), time.Now().Add(in)); err != nil {
				t.Fatal(err)
			}
		}
		f.elapse(2 * time.Minute)
		if list := fired(f); len(list) != 0 {
			t.Errorf("fired at the first time: %+v", list)
		}
	})

	for name, timer := range map[string]Timer{
		"of a page":  {Kind: "scheduled", Path: path(t, "/news")},
		"of a label": {Kind: "scheduled", Label: Tag("post:42")},
	} {
		t.Run(name+" again while it fires holds", func(t *testing.T) {
			f := newFixture(t, s)
			if err := f.schedule(t.Context(), timer, time.Now()); err != nil {
				t.Fatal(err)
			}
			f.beforeScripts(func() {
				if err := f.schedule(t.Context(), timer, time.Now().Add(time.Minute)); err != nil {
					t.Error(err)
				}
			})
			if r, err := f.Fire(t.Context(), timer, Default); err != nil || !r.Skipped {
				t.Errorf("receipt = %+v, %v; want skipped: it is not due any more", r, err)
			}
			f.elapse(time.Minute)
			if list := fired(f); len(list) != 1 {
				t.Errorf("fired %+v, want the newer one", list)
			}
		})
	}
}
