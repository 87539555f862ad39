package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// The controls break a promise on purpose, in a run like any other. When the
// judge does not see it, its word about the other runs is worth nothing.

// forgetful gives the site a Redis that is only saved now and then, as a user
// can say that he accepts, and kills it while triggers wait: these are lost.
func forgetful(ctx context.Context, lab *Lab) (Outcome, error) {
	redis, err := lab.NewRedis(ctx, "redis", lab.Path("redis"), "--appendonly", "no")
	if err != nil {
		return Outcome{}, err
	}
	r, err := lab.newRig(ctx, hotCount, redis, SiteOptions{Extra: "durability: relaxed"})
	if err != nil {
		return Outcome{}, err
	}
	if err := r.load.Publish(ctx, settleTime); err != nil {
		return Outcome{}, err
	}
	if err := redis.Do(ctx, "SAVE"); err != nil {
		return Outcome{}, err
	}
	r.source.Set(Mood{Latency: 10 * time.Second}) // so that they wait
	for _, path := range r.source.Paths() {
		r.load.One(ctx, path)
	}
	if err := r.server.Kill(); err != nil {
		return Outcome{}, err
	}
	if err := redis.Kill(); err != nil {
		return Outcome{}, err
	}
	if err := redis.Start(ctx); err != nil {
		return Outcome{}, err
	}
	r.source.Set(Mood{})
	if err := r.server.Start(); err != nil {
		return Outcome{}, err
	}
	if err := r.server.Ready(ctx); err != nil {
		return Outcome{}, err
	}
	outcome, err := r.judge.Verdict(ctx, 5*time.Second)
	outcome.Faults = 1
	if err == nil && outcome.Lost == 0 {
		err = fmt.Errorf("the judge has missed all of %d lost pages", hotCount)
	}
	return outcome, err
}

// vandal writes into the output as no Rebake does: a page bit by bit, and then
// the page as it was some versions ago.
func vandal(ctx context.Context, lab *Lab) (Outcome, error) {
	r, err := lab.newRig(ctx, 4, nil, SiteOptions{})
	if err != nil {
		return Outcome{}, err
	}
	if err := r.load.Publish(ctx, settleTime); err != nil {
		return Outcome{}, err
	}
	defer r.judge.Watch(ctx)()
	victim := r.judge.file(r.source.Paths()[0])
	before, err := os.ReadFile(victim)
	if err != nil {
		return Outcome{}, err
	}
	r.load.Pause = 50 * time.Millisecond
	stop := r.load.Start(ctx)
	err = Sleep(ctx, 3*time.Second) // some versions pass
	stop()
	if err != nil {
		return Outcome{}, err
	}
	for _, bytes := range []int{len(before) / 2, len(before)} {
		if err := os.WriteFile(victim, before[:bytes], 0o644); err != nil {
			return Outcome{}, err
		}
		if err := Sleep(ctx, 20*readPause); err != nil {
			return Outcome{}, err
		}
	}
	r.load.One(ctx, r.source.Paths()[0]) // which makes it good again
	outcome, err := r.judge.Verdict(ctx, settleTime)
	outcome.Faults = 2
	if err == nil && (outcome.Torn == 0 || outcome.Older == 0) {
		err = fmt.Errorf("the judge has seen %d torn and %d older pages, and there were both", outcome.Torn, outcome.Older)
	}
	return outcome, err
}
