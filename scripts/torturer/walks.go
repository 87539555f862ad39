package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	walkPages = 240
	// timedSection has a timer, which makes pages older than any trigger new
	// again by itself: what it hides, the other sections show.
	timedSection = "s3"
)

// walks has everything happen that is about many pages at once: tags, prefixes
// and the whole site are triggered while pages are first rendered, for triggers
// and for visitors, are removed and come back, and fall due by a timer. Redis
// is killed meanwhile, and some walks end in another Redis than they began in.
func walks(ctx context.Context, lab *Lab) (Outcome, error) {
	redis, err := lab.NewRedis(ctx, "redis", lab.Path("redis"))
	if err != nil {
		return Outcome{}, err
	}
	r, err := lab.newRig(ctx, walkPages, redis, SiteOptions{Routes: Route(timedSection, "revalidate: 3s")})
	if err != nil {
		return Outcome{}, err
	}
	w := walker{r}
	defer w.judge.Watch(ctx)()
	w.source.Set(Mood{Latency: 60 * time.Millisecond})
	stop := w.start(ctx)
	defer stop()
	kills := lab.Size(2, 60)
	for i := range kills {
		if err := Sleep(ctx, 1500*time.Millisecond); err != nil {
			return Outcome{}, err
		}
		w.broad(ctx, url.Values{"prefix": {"/s1"}}, "/s1/") // a walk to be in the middle of
		if err := redis.Kill(); err != nil {
			return Outcome{}, err
		}
		if err := redis.Start(ctx); err != nil {
			return Outcome{}, err
		}
		lab.Say("Redis was killed %d of %d times", i+1, kills)
	}
	stop()
	outcome, err := w.judge.Verdict(ctx, settleTime)
	outcome.Faults = kills
	return outcome, err
}

// walker does things to a site at random.
type walker struct{ *rig }

// start has editors and visitors act until stop is called.
func (w walker) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var actors sync.WaitGroup
	for range 6 {
		for _, act := range []func(context.Context){w.edit, w.visit} {
			actors.Go(func() {
				for ctx.Err() == nil {
					act(ctx)
					_ = Sleep(ctx, rand.N(100*time.Millisecond))
				}
			})
		}
	}
	return func() { cancel(); actors.Wait() }
}

// visit asks for a page, which may be there, or not yet, or not any more.
// Whatever the visitor is told, it owes him nothing.
func (w walker) visit(ctx context.Context) {
	_, _, _ = w.server.Visit(ctx, PagePath(rand.IntN(walkPages)))
}

func (w walker) edit(ctx context.Context) {
	path := PagePath(rand.IntN(walkPages))
	switch n := rand.IntN(100); {
	case n < 70:
		w.load.One(ctx, path)
	case n < 88:
		w.load.Delete(ctx, path)
	case n < 93:
		group := GroupOf(rand.IntN(Groups))
		w.broad(ctx, url.Values{"tag": {"group:" + group}}, group)
	case n < 98:
		section := fmt.Sprintf("/s%d", rand.IntN(Sections))
		w.broad(ctx, url.Values{"prefix": {section}}, section+"/")
	default:
		w.broad(ctx, nil, "")
	}
}

// broad edits all pages of a group or below a prefix, "" for all, and sends one
// trigger for them. A page that is deleted stays so: nobody knows its tags
// unless it was there.
func (w walker) broad(ctx context.Context, query url.Values, of string) {
	known := w.judge.Seen()
	versions := make(map[string]int)
	for n, path := range w.source.Paths() {
		if strings.HasPrefix(path, of) || GroupOf(n) == of {
			versions[path] = w.source.Touch(path)
		}
	}
	ctx = context.WithoutCancel(ctx)
	var err error
	if query == nil {
		err = w.server.Trigger(ctx, map[string]any{"all": true})
	} else {
		err = w.server.Revalidate(ctx, query)
	}
	if err == nil {
		w.judge.AcknowledgedLabel(versions, known)
	}
}
