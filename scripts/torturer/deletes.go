package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// deletePages is how many pages race at once.
const deletePages = 20

// deletes have the trigger of a deletion race with that of an edit, while the
// source takes its time: whichever of the two was the later one, in the end the
// page is there, or away, as that says.
func deletes(ctx context.Context, lab *Lab) (Outcome, error) {
	redis, err := lab.NewRedis(ctx, "redis", lab.Path("redis"))
	if err != nil {
		return Outcome{}, err
	}
	r, err := lab.newRig(ctx, deletePages, redis, SiteOptions{})
	if err != nil {
		return Outcome{}, err
	}
	if err := r.load.Publish(ctx, settleTime); err != nil {
		return Outcome{}, err
	}
	defer r.judge.Watch(ctx)()
	r.source.Set(Mood{Latency: 150 * time.Millisecond})
	faults, lost := 0, 0
	for faults < lab.Size(60, 500) {
		var both sync.WaitGroup
		for _, path := range r.source.Paths() {
			for _, tell := range []func(context.Context, string) bool{r.load.One, r.load.Delete} {
				both.Go(func() {
					_ = Sleep(ctx, rand.N(200*time.Millisecond))
					tell(ctx, path)
				})
			}
		}
		both.Wait()
		faults += deletePages
		_, wrong, err := r.judge.Pay(ctx, r.judge.Debt(), time.Now(), settleTime)
		if err != nil {
			return Outcome{}, err
		}
		lost += len(wrong)
		for _, w := range wrong {
			lab.Say("lost: %s", w)
		}
		lab.Say("%d races", faults)
	}
	outcome, err := r.judge.Verdict(ctx, settleTime)
	outcome.Faults, outcome.Lost = faults, max(lost, outcome.Lost)
	return outcome, err
}
