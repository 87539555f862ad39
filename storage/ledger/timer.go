package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// Timer is a trigger that waits for its time.
type Timer struct {
	Kind  string       // "recheck", "timer" (by the route), "date" (by the content), "lagging", "scheduled", "scheduled-ID"
	Path  storage.Path // of the page, or else
	Label Label        // of the pages
}

// name is a timer's member in `timers`.
func (t Timer) name() string {
	if t.Label != "" {
		return t.Kind + ":" + string(t.Label)
	}
	return t.Kind + ":" + t.Path.String()
}

func parseTimer(name string) (Timer, error) {
	kind, of, _ := strings.Cut(name, ":")
	if label, err := ParseLabel(of); err == nil {
		return Timer{Kind: kind, Label: label}, nil
	}
	p, err := parsePath(of)
	return Timer{Kind: kind, Path: p}, err
}

// Schedule asks for a trigger of a page at some time. Of several for one page
// the last one holds. It is durable when it returns without an error.
func (l *Ledger) Schedule(ctx context.Context, p storage.Path, at time.Time) error {
	return l.schedule(ctx, Timer{Kind: "scheduled", Path: p}, at)
}

// ScheduleLabel is Schedule for all pages with a label.
func (l *Ledger) ScheduleLabel(ctx context.Context, label Label, at time.Time) error {
	return l.schedule(ctx, Timer{Kind: "scheduled", Label: label}, at)
}

func (l *Ledger) schedule(ctx context.Context, t Timer, at time.Time) error {
	err := l.rdb.ZAdd(ctx, l.key("timers"), redis.Z{Score: float64(at.UnixMilli()), Member: t.name()}).Err()
	if err != nil {
		return storage.Temporary(fmt.Errorf("schedule: %w", err))
	}
	return nil
}

// DueTimers returns the timers whose time has come, at most limit.
func (l *Ledger) DueTimers(ctx context.Context, limit int) ([]Timer, error) {
	now, err := l.rdb.Time(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("timers: %w", err)
	}
	due, err := l.rdb.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{
		Key: l.key("timers"), ByScore: true, Start: "-inf", Stop: now.UnixMilli(), Count: int64(limit),
	}).Result()
	if err != nil {
		return nil, fmt.Errorf("timers: %w", err)
	}
	var list []Timer
	var unknown []redis.Z
	for _, z := range due {
		t, err := parseTimer(fmt.Sprint(z.Member))
		if err != nil {
			unknown = append(unknown, z)
			continue
		}
		list = append(list, t)
	}
	if err := l.postpone(ctx, "timers", unknown, now); err != nil {
		return nil, fmt.Errorf("timers: %w", err)
	}
	return list, nil
}

// SecondLook is the reason of the trigger that a recheck makes.
const SecondLook = "second look"

// reason says for people why the timer triggers.
func (t Timer) reason() string {
	switch {
	case t.isScheduled():
		return "scheduled"
	case t.Kind == "recheck":
		return SecondLook
	case t.Kind == "timer":
		return "revalidate of its route"
	case t.Kind == "date":
		return "a date in its content"
	case t.Kind == "lagging":
		return "another look: it lagged behind its CMS"
	}
	return t.Kind
}

// Fire takes a due timer out and triggers what it is about, in one step. Of
// several processes that try, one does and the others are skipped.
func (l *Ledger) Fire(ctx context.Context, t Timer, prio Priority) (Receipt, error) {
	return l.fire(ctx, t, prio, l.nonce())
}

func (l *Ledger) fire(ctx context.Context, t Timer, prio Priority, nonce string) (Receipt, error) {
	if t.Label != "" {
		return l.askLabel(ctx, t.Label, int(prio), nonce, t.reason(), t.name(), 0, 0, 0, 0)
	}
	r, err := l.run(ctx, l.scripts.timer, t.Path, int(prio), nonce, t.reason(), ms(l.cfg.MaxRun), t.name())
	if err != nil {
		return Receipt{}, err
	}
	return receipt(r, t.Path)
}
