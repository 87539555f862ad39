package main

import (
	"context"
	"math/rand/v2"
	"syscall"
	"time"
)

// pauseTime is longer than a run's lease (5 s): meanwhile another worker
// takes the page, and the paused one wakes up in the middle of a render that is
// no longer its own.
const pauseTime = 6500 * time.Millisecond

// kills ends and pauses processes of a fleet at random, while triggers come in.
// A round is a few faults in quick succession; then all workers die at once,
// and it is measured how long after their restart every page is up to date.
func kills(ctx context.Context, lab *Lab) (Outcome, error) {
	f, err := newFleet(ctx, lab, 40)
	if err != nil {
		return Outcome{}, err
	}
	f.site.Source.Set(Mood{Latency: 150 * time.Millisecond})
	load := f.load(8, 60*time.Millisecond)
	if err := load.Publish(ctx, settleTime); err != nil {
		return Outcome{}, err
	}
	defer f.judge.Watch(ctx)()
	stop := load.Start(ctx)
	defer stop()
	faults, round := 0, 0
	var longest time.Duration
	for faults < lab.Size(20, 200) {
		round++
		n, err := f.burst(ctx, faults%lab.Size(20, 10) == 0, round%2 == 0)
		if err != nil {
			return Outcome{}, err
		}
		took, err := f.killWorkers(ctx)
		if err != nil {
			return Outcome{}, err
		}
		faults += n + len(f.workers)
		longest = max(longest, took)
		lab.Say("%d faults, recovered in %.1f s", faults, took.Seconds())
	}
	stop()
	outcome, err := f.judge.Verdict(ctx, settleTime)
	outcome.Faults, outcome.Recovery = faults, longest
	return outcome, err
}

// burst hurts a few processes, one after the other and at random, and returns
// how many. Each of them runs again at the end. With same it kills one worker
// each time, as fast as it can: what that was rendering has died so often then
// that it runs alone.
func (f *fleet) burst(ctx context.Context, pause, same bool) (faults int, err error) {
	all := f.all()
	one := f.workers[f.lab.Rand.IntN(len(f.workers))]
	between := 500 * time.Millisecond
	if same {
		between = 100 * time.Millisecond
	}
	for range 3 {
		victim := all[f.lab.Rand.IntN(len(all))]
		hurt := []func(context.Context, *Server) error{killAndRestart, terminateAndRestart}[f.lab.Rand.IntN(2)]
		switch {
		case same:
			victim, hurt = one, killAndRestart
		case pause && faults == 0:
			victim, hurt = one, pauseAndWake
		}
		if err := hurt(ctx, victim); err != nil {
			return faults, err
		}
		faults++
		if err := Sleep(ctx, rand.N(between)); err != nil {
			return faults, err
		}
	}
	return faults, nil
}

func killAndRestart(ctx context.Context, v *Server) error {
	if err := v.Kill(); err != nil {
		return err
	}
	if err := Sleep(ctx, rand.N(300*time.Millisecond)); err != nil {
		return err
	}
	return v.Start()
}

func terminateAndRestart(_ context.Context, v *Server) error {
	if err := v.Terminate(); err != nil {
		return err
	}
	return v.Start()
}

// pauseAndWake holds a process in the middle of whatever it does.
func pauseAndWake(ctx context.Context, v *Server) error {
	if err := v.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if err := Sleep(ctx, pauseTime); err != nil {
		return err
	}
	return v.Signal(syscall.SIGCONT)
}

// killWorkers kills all workers in the same moment, starts them again, and
// returns how long after that the pages had what had been acknowledged.
func (f *fleet) killWorkers(ctx context.Context) (time.Duration, error) {
	for _, v := range f.workers {
		if err := v.Signal(syscall.SIGKILL); err != nil {
			return 0, err
		}
	}
	for _, v := range f.workers {
		<-v.Ended()
	}
	from := time.Now()
	for _, v := range f.workers {
		if err := v.Start(); err != nil {
			return 0, err
		}
	}
	return recovery(ctx, f.lab, f.judge, from)
}

// killsAlone kills a whole Rebake, which takes its own redis-server with it, and
// starts it again.
func killsAlone(ctx context.Context, lab *Lab) (Outcome, error) {
	r, err := lab.newRig(ctx, 40, nil, SiteOptions{})
	if err != nil {
		return Outcome{}, err
	}
	if err := r.load.Publish(ctx, settleTime); err != nil {
		return Outcome{}, err
	}
	defer r.judge.Watch(ctx)()
	r.source.Set(Mood{Latency: 150 * time.Millisecond})
	r.load.Pause = 60 * time.Millisecond
	stop := r.load.Start(ctx)
	defer stop()
	var longest time.Duration
	kills := lab.Size(2, 40)
	for i := range kills {
		if err := Sleep(ctx, 500*time.Millisecond+rand.N(time.Second)); err != nil {
			return Outcome{}, err
		}
		if err := killAndRestart(ctx, r.server); err != nil {
			return Outcome{}, err
		}
		took, err := recovery(ctx, lab, r.judge, r.server.Started)
		if err != nil {
			return Outcome{}, err
		}
		longest = max(longest, took)
		lab.Say("killed %d of %d times, recovered in %.1f s", i+1, kills, took.Seconds())
	}
	stop()
	outcome, err := r.judge.Verdict(ctx, settleTime)
	outcome.Faults, outcome.Recovery = kills, longest
	return outcome, err
}
