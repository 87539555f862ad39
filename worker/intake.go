package worker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
	"rebake/storage/spool"
)

const (
	// lookEvery is the time between two looks at Redis. One that is away is
	// found again within it.
	lookEvery = time.Second
	// lookTime bounds one look.
	lookTime = 2 * time.Second
	// adoptEvery is how often the spools of dead processes are looked for.
	adoptEvery = 5 * time.Second
	// drainTime bounds how long a few triggers of the spool may take.
	drainTime = 10 * time.Second
)

// Intake says where triggers go.
type Intake struct {
	// Reason says for anybody why triggers go to the spool; empty while they go
	// to Redis.
	Reason string
	// Full says that Redis answers, and that the room that is left is for what
	// it holds already.
	Full bool
	// Cause is what happened, for the operator; nil while triggers go to Redis.
	Cause error
	// Since is when that began.
	Since time.Time
	// Spooled is what waits in this process's spool.
	Spooled spool.Size
}

// intake is what this process knows of Redis. Safe for concurrent use.
type intake struct {
	admitted chan struct{} // closed when Redis was good for the first time

	mu    sync.Mutex
	cause error     // guarded by mu; why triggers go to the spool
	since time.Time // guarded by mu
	good  bool      // guarded by mu; admitted is closed
}

func newIntake() *intake {
	return &intake{admitted: make(chan struct{}), cause: storage.Temporary(errors.New("not asked yet")), since: time.Now()}
}

// closed returns why triggers go to the spool, nil when they go to Redis.
func (i *intake) closed() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.cause
}

// set notes what is known now, and returns what was known before, and for how
// long.
func (i *intake) set(cause error) (lasted time.Duration, before error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	lasted, before = time.Since(i.since), i.cause
	if (before == nil) != (cause == nil) {
		i.since = time.Now()
	}
	i.cause = cause
	if !i.good && (cause == nil || errors.Is(cause, errFull)) {
		i.good = true
		close(i.admitted)
	}
	return lasted, before
}

// Intake tells how triggers are taken at the moment. It asks nobody.
func (w *Worker) Intake() Intake {
	w.intake.mu.Lock()
	n := Intake{Cause: w.intake.cause, Since: w.intake.since}
	w.intake.mu.Unlock()
	if n.Cause != nil {
		n.Reason, n.Full = redisReason(n.Cause), errors.Is(n.Cause, errFull)
	}
	if w.Spool != nil {
		n.Spooled = w.Spool.Size()
	}
	return n
}

// Admit asks Redis once whether triggers may go there: whether it answers and
// takes writes, is this site's, passes Parts.Check, and has room. Without a
// process that Attends, they go there or to the spool by its answer from then
// on. The error is a *storage.TemporaryError when Redis is only away; that it
// has no room is none.
func (w *Worker) Admit(ctx context.Context) error {
	look, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	err := w.Ledger.Check(look)
	if err == nil && w.Check != nil {
		err = w.Check(look)
	}
	var full error
	if err == nil {
		full, err = w.room(look)
	}
	switch {
	case ctx.Err() != nil: // the end of this process says nothing about Redis
	case err != nil:
		w.lost(err)
	case full != nil:
		w.lost(full)
	default:
		w.found()
	}
	return err
}

// Admitted is closed when Redis was good for the first time: before, it may be
// another site's.
func (w *Worker) Admitted() <-chan struct{} { return w.intake.admitted }

// lost notes that Redis takes no triggers now.
func (w *Worker) lost(err error) {
	_, before := w.intake.set(err)
	if before == nil || redisReason(before) != redisReason(err) {
		w.Log.Error("redis takes no triggers, they are spooled", "reason", redisReason(err), "err", err)
	}
}

// found notes that Redis takes triggers.
func (w *Worker) found() {
	if lasted, before := w.intake.set(nil); before != nil {
		w.Log.Info("redis takes triggers", "after", lasted.Round(time.Millisecond))
	}
}

// Attend looks at Redis each second, brings what is spooled to the ledger when
// Redis is back, and takes over the spools of processes that have died, until
// ctx is done. Every process that accepts triggers with a spool runs it once.
func (w *Worker) Attend(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var adopted time.Time
	for {
		if time.Since(adopted) >= adoptEvery {
			adopted = time.Now()
			w.adoptSpools()
		}
		// A failure of Admit is logged when it is news.
		if err := w.Admit(ctx); err == nil && w.Spool.Size().Records > 0 {
			if err := w.drain(ctx); err != nil && ctx.Err() == nil {
				w.lost(err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (w *Worker) adoptSpools() {
	before := w.Spool.Size()
	err := w.Spool.Adopt()
	now := w.Spool.Size()
	if now.Damaged > before.Damaged {
		w.Log.Warn("triggers in the spool of a dead process were cut off, left out", "lines", now.Damaged-before.Damaged)
	}
	if err != nil {
		w.Log.Warn("spool of a dead process not taken over, will retry", "err", err)
	}
}

// errFull says that Redis has room for what it holds already and for nothing
// else.
var errFull = errors.New("redis is half full")

// Redis that is full does not let the workers do anything any more, not even
// what would make room. So triggers stop at half of its memory; up to three
// quarters a few are let in whenever the workers have nothing to do, since the
// index of a large site may never leave half of it free.
const (
	fullAt, fewAt = 0.5, 0.75
	// fewOwed is how many pages may be owed when a few are let in.
	fewOwed = 16
)

// room says in full that Redis has none.
func (w *Worker) room(ctx context.Context) (full, err error) {
	used, most, err := w.memory(ctx)
	if err == nil && most > 0 && float64(used) >= fullAt*float64(most) {
		full = fmt.Errorf("%w: %d bytes used of maxmemory %d; raise maxmemory", errFull, used, most)
	}
	return full, err
}

// memory returns zeros where Redis does not tell.
func (w *Worker) memory(ctx context.Context) (used, most int64, err error) {
	info, err := w.Redis.Info(ctx, "memory").Result()
	if answered := redis.Error(nil); errors.As(err, &answered) && redisReason(err) == away {
		return 0, 0, nil // it may not be asked, or does not know the question
	}
	if err != nil {
		return 0, 0, storage.Temporary(fmt.Errorf("ask redis for its memory: %w", err))
	}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "used_memory":
			used = n
		case "maxmemory":
			most = n
		}
	}
	return used, most, nil
}

// idle reports that Redis is rather full, and that waiting does not help.
func (w *Worker) idle(ctx context.Context) bool {
	if !errors.Is(w.intake.closed(), errFull) {
		return false
	}
	used, most, err := w.memory(ctx)
	if err != nil || float64(used) >= fewAt*float64(most) {
		return false
	}
	counts, err := w.Ledger.Counts(ctx)
	return err == nil && counts.Owed < fewOwed
}

// away is the reason of what is no answer of Redis.
const away = "redis does not answer"

// reasons say for anybody what an error of Redis means. They name no address.
var reasons = []struct{ part, reason string }{
	{"LOADING", "redis is loading its data"},
	{"READONLY", "redis is a read-only replica"},
	{"MISCONF", "redis cannot write to its disk"},
	{"NOAUTH", "redis refuses the password"},
	{"WRONGPASS", "redis refuses the password"},
	{"NOPERM", "redis refuses the user's commands"},
	{"OOM", "redis is full"},
	{"BUSY", "redis is busy with a script"},
	{"MASTERDOWN", "redis has lost its master"},
	{"CLUSTERDOWN", "redis has lost a part of its cluster"},
}

// redisReason says why Redis takes no triggers.
func redisReason(err error) string {
	if errors.Is(err, errFull) {
		return errFull.Error()
	}
	var temporary *storage.TemporaryError
	if answered := redis.Error(nil); errors.As(err, &answered) {
		for _, r := range reasons {
			if strings.Contains(answered.Error(), r.part) {
				return r.reason
			}
		}
	} else if !errors.As(err, &temporary) && !errors.Is(err, context.DeadlineExceeded) {
		return "redis may lose triggers, or is another site's; the log says more"
	}
	return away
}
