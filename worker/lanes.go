package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

const (
	// stuck is how long an upstream may let none of its pages pass until its
	// other pages are sent away.
	stuck = 500 * time.Millisecond
	// sentAway is how long a wake-up stays away at least, and apart how far from
	// each other those come back that were sent away together.
	sentAway = time.Second
	apart    = 5 * time.Millisecond
	longLine = time.Minute
)

// lanes keep the pages of an upstream that is slow from taking all slots, and
// all of asynq's handlers: each upstream has at most half as many again as it
// takes requests at once, and while another has none, a slot is left for that.
// A page is in its lanes from before its claim until it is rendered; those of
// several upstreams it enters together. Safe for concurrent use.
type lanes struct {
	slots  int // without the reserve
	closed <-chan struct{}

	mu      sync.Mutex
	all     map[string]*lane // guarded by mu, as is all below; of the upstreams that were met
	inside  int
	waiting []*waiter // those who came first first
}

// lane is what is known of one upstream.
type lane struct {
	inside int
	moved  time.Time // when a page came in or went out
	line   time.Time // when the last one comes back that was sent away
}

// waiter is a page before its lanes.
type waiter struct {
	upstreams []renderer.Upstream
	urgent    bool
	in        chan struct{} // closed when it is inside
	leave     func()        // set before that
}

// newLanes makes lanes of upstreams that are not known yet.
func newLanes(slots int, closed <-chan struct{}) *lanes {
	return &lanes{slots: slots, closed: closed, all: make(map[string]*lane)}
}

// meet tells of upstreams before their first page comes.
func (l *lanes) meet(upstreams []renderer.Upstream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range upstreams {
		l.lanesOf([]renderer.Upstream{u})
	}
}

// lanesOf are the lanes of a page; one that needs no upstream has its own. mu
// is held.
func (l *lanes) lanesOf(upstreams []renderer.Upstream) map[*lane]renderer.Upstream {
	if len(upstreams) == 0 {
		upstreams = []renderer.Upstream{{Name: "", AtOnce: l.slots + 1}}
	}
	of := make(map[*lane]renderer.Upstream, len(upstreams))
	for _, u := range upstreams {
		got, ok := l.all[u.Name]
		if !ok {
			got = &lane{}
			l.all[u.Name] = got
		}
		of[got] = u
	}
	return of
}

// fits reports whether a page may come in; mu is held.
func (l *lanes) fits(of map[*lane]renderer.Upstream, urgent bool) bool {
	first := true // it has nothing inside, so a slot was left for it
	for lane, u := range of {
		most := u.AtOnce
		if !urgent && most > 1 {
			most--
		}
		if lane.inside >= most+most/2 { // while some ask, others are claimed
			return false
		}
		first = first && lane.inside == 0
	}
	if first {
		return true
	}
	slots := l.slots
	if urgent {
		slots++ // the reserve
	}
	idle := 0
	for _, lane := range l.all {
		if _, mine := of[lane]; !mine && lane.inside == 0 {
			idle++
		}
	}
	return slots-l.inside > min(idle, slots/2)
}

// come lets a page in; mu is held.
func (l *lanes) come(of map[*lane]renderer.Upstream) (leave func()) {
	l.inside++
	for lane := range of {
		lane.inside++
		lane.moved = time.Now()
	}
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.inside--
		for lane := range of {
			lane.inside--
			lane.moved = time.Now()
		}
		l.admit()
	})
}

// admit lets those in who wait and fit, in their order, but edits first; mu is
// held.
func (l *lanes) admit() {
	for _, urgent := range []bool{true, false} {
		var left []*waiter
		for _, w := range l.waiting {
			of := l.lanesOf(w.upstreams)
			if w.urgent != urgent || !l.fits(of, w.urgent) {
				left = append(left, w)
				continue
			}
			w.leave = l.come(of)
			close(w.in)
		}
		l.waiting = left
	}
}

// try lets a page in if there is room, and nobody else to whom it belongs.
func (l *lanes) try(upstreams []renderer.Upstream, urgent bool) (leave func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.lanesOf(upstreams)
	if !l.fits(of, urgent) {
		return nil, false
	}
	return l.come(of), true
}

// enter waits until the page may come in. The error is ctx's, errStopping when
// the lanes are closed, or *later when the upstream lets no page pass and
// others wait for that already: the wake-up has to come again. One that is
// patient is never sent away.
func (l *lanes) enter(ctx context.Context, upstreams []renderer.Upstream, urgent, patient bool) (leave func(), err error) {
	if leave, ok := l.try(upstreams, urgent); ok {
		return leave, nil
	}
	w := &waiter{upstreams: upstreams, urgent: urgent, in: make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, w)
	l.admit() // somebody may have left in between
	l.mu.Unlock()
	tick := time.NewTicker(stuck / 5)
	defer tick.Stop()
	for {
		if err == nil && !patient {
			err = l.outOfPatience(w)
		}
		if err != nil {
			return l.giveUp(w, err)
		}
		select {
		case <-w.in:
			return w.leave, nil
		case <-l.closed:
			err = errStopping
		case <-ctx.Done():
			err = ctx.Err()
		case <-tick.C:
		}
	}
}

// outOfPatience returns *later when the waiter should make room for the pages
// of other upstreams. Where all pages need the same there are none, and the
// first of those who wait stays.
func (l *lanes) outOfPatience(w *waiter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 1 {
		return nil
	}
	now := time.Now()
	for lane := range l.lanesOf(w.upstreams) {
		if now.Sub(lane.moved) < stuck || l.firstOf(lane) == w {
			continue
		}
		lane.line = lane.line.Add(apart)
		if soonest := now.Add(sentAway); lane.line.Before(soonest) {
			lane.line = soonest
		} else if longest := now.Add(longLine); lane.line.After(longest) {
			lane.line = longest
		}
		return &later{in: lane.line.Sub(now)}
	}
	return nil
}

// firstOf returns who has waited longest for a lane; mu is held.
func (l *lanes) firstOf(lane *lane) *waiter {
	for _, w := range l.waiting {
		if _, ok := l.lanesOf(w.upstreams)[lane]; ok {
			return w
		}
	}
	return nil
}

// giveUp ends the wait, unless the page came in at this very moment.
func (l *lanes) giveUp(w *waiter, err error) (leave func(), _ error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.leave != nil {
		return w.leave, nil
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(other *waiter) bool { return other == w })
	return nil, err
}

// laneKey is under what a run's context holds the way out of its lanes.
type laneKey struct{}

// inLane makes the context of a run that render brings out of its lanes.
func inLane(ctx context.Context, leave func()) context.Context {
	return context.WithValue(ctx, laneKey{}, leave)
}

// render renders the page, and then makes room in its lanes: what is left to
// do with it, nobody upstream is asked for.
func (w *Worker) render(ctx context.Context, m renderer.Match, urgent bool) (storage.Page, error) {
	if leave, ok := ctx.Value(laneKey{}).(func()); ok {
		defer leave()
	}
	return w.Renderer.Render(ctx, m, urgent)
}

// upstreams are those that a token's page is made from.
func (w *Worker) upstreams(tok ledger.Token) []renderer.Upstream {
	m, _ := w.Renderer.Match(tok.Path)
	return m.Upstreams()
}

// admit waits for lanes and then for a slot, for a token that came through
// asynq. runs becomes the context of its run.
func (w *Worker) admit(ctx, runs context.Context, tok ledger.Token) (_ context.Context, release func(), err error) {
	w.slots.note(tok.ID, +1) // or the sweeper would take its handler for dead
	defer w.slots.note(tok.ID, -1)
	leave, err := w.lanes.enter(ctx, w.upstreams(tok), tok.Priority == ledger.Critical, false)
	if err != nil {
		return nil, nil, err
	}
	free, err := w.slots.acquireFor(ctx, tok)
	if err != nil {
		leave()
		return nil, nil, err
	}
	return inLane(runs, leave), func() { free(); leave() }, nil
}
