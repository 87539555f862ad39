package main

import (
	"context"
	"math/rand/v2"
	"net/url"
	"time"
)

const (
	// hotCount is how many pages everybody triggers at once.
	hotCount = 40
	// settleTime is how long after the last fault everything may take: longer
	// than the longest wait between two tries.
	settleTime = 30 * time.Second
)

// hotPages has triggers arrive while their pages render: each sender names
// another page of a few every few milliseconds, the source takes its time, and
// every fifth answer is an error.
func hotPages(ctx context.Context, lab *Lab) (Outcome, error) {
	redis, err := lab.NewRedis(ctx, "redis", lab.Path("redis"))
	if err != nil {
		return Outcome{}, err
	}
	r, err := lab.newRig(ctx, hotCount, redis, SiteOptions{})
	if err != nil {
		return Outcome{}, err
	}
	defer r.judge.Watch(ctx)()
	r.source.Set(Mood{Latency: 400 * time.Millisecond, Failing: 0.2, MostFailures: 2})
	r.load.Senders, r.load.Pause, r.load.Send = 16, 20*time.Millisecond, mixed(r.server)
	stop := r.load.Start(ctx)
	err = Sleep(ctx, time.Duration(lab.Size(6, 120))*time.Second)
	stop()
	if err != nil {
		return Outcome{}, err
	}
	r.source.Set(Mood{})
	lab.Say("the senders have stopped")
	outcome, err := r.judge.Verdict(ctx, settleTime)
	outcome.Faults = r.source.Failures()
	return outcome, err
}

// mixed sends three of four triggers as a CMS does, at the highest priority,
// and the others at a lower one.
func mixed(v *Server) func(context.Context, string) error {
	return func(ctx context.Context, path string) error {
		if rand.IntN(4) > 0 {
			return v.Revalidate(ctx, url.Values{"path": {path}})
		}
		priority := []string{"default", "low"}[rand.IntN(2)]
		return v.Trigger(ctx, map[string]any{"paths": []string{path}, "priority": priority})
	}
}
