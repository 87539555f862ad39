package worker

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"rebake/storage/ledger"
)

const (
	// mostAlarms bounds the tokens that a process wakes by itself; for the
	// others asynq's delayed tasks have to do, which come up to a second late.
	mostAlarms = 10_000
	// longAlarm is the longest wait that a process takes upon itself. Nobody
	// minds a second after more.
	longAlarm = time.Minute
	// alarmMargin is for a clock that counts milliseconds: a token that comes
	// a moment too early has to come twice.
	alarmMargin = 2 * time.Millisecond
)

// alarms wake tokens when their time has come. asynq has a task for each of
// them too, so what is forgotten here costs time alone. Safe for concurrent use.
type alarms struct {
	changed chan struct{} // holds one value when the first alarm is another

	mu   sync.Mutex
	on   bool              // guarded by mu; run runs
	next alarmHeap         // guarded by mu
	ids  map[string]*alarm // guarded by mu; those of next
}

type alarm struct {
	at  time.Time
	tok ledger.Token
}

func newAlarms() *alarms {
	return &alarms{changed: make(chan struct{}, 1), ids: make(map[string]*alarm)}
}

// set sees to it that the token is woken when its wait is over. It reports
// false when this process does not: it runs nothing, or has enough to do.
func (a *alarms) set(tok ledger.Token) bool {
	if tok.Wait > longAlarm {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.on:
		return false
	case a.ids[tok.ID] != nil: // whoever comes too early is told when to come again
		return true
	case len(a.next) >= mostAlarms:
		return false
	}
	first := &alarm{time.Now().Add(tok.Wait + alarmMargin), tok}
	a.ids[tok.ID] = first
	if heap.Push(&a.next, first); a.next[0] == first {
		select {
		case a.changed <- struct{}{}:
		default:
		}
	}
	return true
}

// run hands the tokens to wake, each when its time has come, until ctx is done.
func (a *alarms) run(ctx context.Context, wake func(ledger.Token)) error {
	a.mu.Lock()
	a.on = true
	a.mu.Unlock()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			a.mu.Lock()
			defer a.mu.Unlock()
			a.on, a.next, a.ids = false, nil, make(map[string]*alarm)
			return nil
		case <-a.changed:
		case <-timer.C:
		}
		due, wait := a.due()
		for _, tok := range due {
			wake(tok)
		}
		timer.Reset(wait)
	}
}

// due takes out the tokens whose time has come, and says how long it is until
// the next one's.
func (a *alarms) due() (list []ledger.Token, wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for len(a.next) > 0 {
		if wait = a.next[0].at.Sub(now); wait > 0 {
			return list, wait
		}
		first := heap.Pop(&a.next).(*alarm)
		delete(a.ids, first.tok.ID)
		first.tok.Wait = 0
		list = append(list, first.tok)
	}
	return list, longAlarm
}

// alarmHeap has the first alarm first; see container/heap.
type alarmHeap []*alarm

func (h alarmHeap) Len() int           { return len(h) }
func (h alarmHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h alarmHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *alarmHeap) Push(x any)        { *h = append(*h, x.(*alarm)) }

func (h *alarmHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return x
}
