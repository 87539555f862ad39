package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// redisFault is what can happen to a Redis.
type redisFault struct {
	// hurt begins the fault, and returns when it was seen to have begun.
	hurt func(context.Context, *Redis) error
	// heal ends it.
	heal func(context.Context, *Redis) error
	// within, unless nil, makes it worse half-way.
	within func(context.Context, *fleet) error
	// lasts and times are for the short form and the long one.
	lasts [2]time.Duration
	times [2]int
}

var redisFaults = map[string]redisFault{
	"killed": {
		hurt: func(_ context.Context, r *Redis) error { return r.Kill() },
		heal: func(ctx context.Context, r *Redis) error { return r.Start(ctx) },
		// Shorter than what the program tries again by itself, and longer.
		lasts: [2]time.Duration{300 * time.Millisecond, 800 * time.Millisecond}, times: [2]int{3, 40},
	},
	"away": {
		hurt: func(_ context.Context, r *Redis) error { return r.Terminate() },
		heal: func(ctx context.Context, r *Redis) error { return r.Start(ctx) },
		// What an api has spooled is there after its death, and it comes up
		// without Redis.
		within: func(ctx context.Context, f *fleet) error { return killAndRestart(ctx, f.apis[0]) },
		lasts:  [2]time.Duration{5 * time.Second, 30 * time.Second}, times: [2]int{1, 4},
	},
	"full": {
		hurt: func(ctx context.Context, r *Redis) error {
			return refuses(ctx, r, "CONFIG", "SET", "maxmemory", "1")
		},
		heal:  func(ctx context.Context, r *Redis) error { return r.Do(ctx, "CONFIG", "SET", "maxmemory", "0") },
		lasts: [2]time.Duration{3 * time.Second, 10 * time.Second}, times: [2]int{1, 6},
	},
	"read-only": {
		// A replica of a server that is not there keeps its data and takes no
		// more: what clients meet after a failover.
		hurt: func(ctx context.Context, r *Redis) error {
			return refuses(ctx, r, "REPLICAOF", "127.0.0.1", "1")
		},
		heal:  func(ctx context.Context, r *Redis) error { return r.Do(ctx, "REPLICAOF", "NO", "ONE") },
		lasts: [2]time.Duration{3 * time.Second, 10 * time.Second}, times: [2]int{1, 6},
	},
}

// refuses gives an order, after which no write may be accepted.
func refuses(ctx context.Context, r *Redis, order ...any) error {
	if err := r.Do(ctx, order...); err != nil {
		return err
	}
	if r.Do(ctx, "SET", "torture", "write") == nil {
		return fmt.Errorf("after %v Redis still accepts writes", order)
	}
	return nil
}

// redisScenario does one of the faults to the Redis of a fleet, while triggers
// come in.
func redisScenario(name string) func(context.Context, *Lab) (Outcome, error) {
	fault := redisFaults[name]
	return func(ctx context.Context, lab *Lab) (Outcome, error) {
		f, err := newFleet(ctx, lab, 40)
		if err != nil {
			return Outcome{}, err
		}
		form := lab.Size(0, 1)
		return f.endure(ctx, fault, fault.times[form], fault.lasts[form])
	}
}

// endure has a fault begin and end some times while triggers come in, and
// measures how long after each end every page is up to date.
func (f *fleet) endure(ctx context.Context, fault redisFault, times int, lasts time.Duration) (Outcome, error) {
	f.site.Source.Set(Mood{Latency: 100 * time.Millisecond})
	load := f.load(8, 120*time.Millisecond)
	if err := load.Publish(ctx, settleTime); err != nil {
		return Outcome{}, err
	}
	defer f.judge.Watch(ctx)()
	stop := load.Start(ctx)
	defer stop()
	var longest time.Duration
	for i := range times {
		if err := Sleep(ctx, 300*time.Millisecond); err != nil {
			return Outcome{}, err
		}
		took, err := f.once(ctx, fault, lasts)
		if err != nil {
			return Outcome{}, err
		}
		longest = max(longest, took)
		f.lab.Say("fault %d of %d is over, recovered in %.1f s", i+1, times, took.Seconds())
	}
	stop()
	outcome, err := f.judge.Verdict(ctx, settleTime)
	outcome.Faults, outcome.Recovery = times, longest
	return outcome, err
}

// once lets it happen, and returns how long after it the pages were up to date.
func (f *fleet) once(ctx context.Context, fault redisFault, lasts time.Duration) (time.Duration, error) {
	if err := fault.hurt(ctx, f.redis); err != nil {
		return 0, err
	}
	f.judge.During(true)
	if err := Sleep(ctx, lasts/2); err != nil {
		return 0, err
	}
	if fault.within != nil {
		if err := fault.within(ctx, f); err != nil {
			return 0, err
		}
	}
	if err := Sleep(ctx, lasts/2); err != nil {
		return 0, err
	}
	f.judge.During(false)
	if err := fault.heal(ctx, f.redis); err != nil {
		return 0, err
	}
	took, err := recovery(ctx, f.lab, f.judge, time.Now())
	for _, v := range f.apis {
		err = errors.Join(err, v.Ready(ctx))
	}
	return took, err
}
