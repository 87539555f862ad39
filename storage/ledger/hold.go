package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// Hold says that nothing is to be rendered or published on this site, by any
// process, until it is resumed. Triggers are accepted meanwhile, and kept.
type Hold struct {
	By  string    `json:"by,omitzero"`
	Why string    `json:"why"`
	At  time.Time `json:"at"`
}

// Hold stops the site. A hold that is there already is replaced, but began
// when it began.
func (l *Ledger) Hold(ctx context.Context, by, why string) error {
	now, err := l.rdb.Time(ctx).Result()
	if err == nil {
		_, err = l.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.HSetNX(ctx, l.key("hold"), "at", now.UnixMilli())
			pipe.HSet(ctx, l.key("hold"), "by", by, "why", why)
			return nil
		})
	}
	if err != nil {
		return storage.Temporary(fmt.Errorf("hold: %w", err))
	}
	return nil
}

// Resume ends a hold, and reports whether there was one.
func (l *Ledger) Resume(ctx context.Context) (bool, error) {
	n, err := l.rdb.Del(ctx, l.key("hold")).Result()
	if err != nil {
		return false, storage.Temporary(fmt.Errorf("resume: %w", err))
	}
	return n > 0, nil
}

// Held returns the hold; nil when there is none.
func (l *Ledger) Held(ctx context.Context) (*Hold, error) {
	all, err := l.rdb.HGetAll(ctx, l.key("hold")).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read hold: %w", err))
	}
	if len(all) == 0 {
		return nil, nil
	}
	return &Hold{By: all["by"], Why: all["why"], At: fields(all).time("at")}, nil
}

// Kept is a mark that a page is to stay removed, whatever its source says.
type Kept struct {
	By  string    `json:"by,omitzero"`
	Why string    `json:"why,omitzero"`
	At  time.Time `json:"at"`
}

// Keep marks a page: every later run has to find it removed. The mark stands
// beside the page's record, which is forgotten some time after a removal.
func (l *Ledger) Keep(ctx context.Context, p storage.Path, by, why string) error {
	now, err := l.rdb.Time(ctx).Result()
	if err == nil {
		b, _ := json.Marshal(Kept{by, why, now}) // texts and a time cannot fail
		err = l.rdb.HSet(ctx, l.key("kept"), p.String(), b).Err()
	}
	if err != nil {
		return storage.Temporary(fmt.Errorf("keep %s removed: %w", p, err))
	}
	return nil
}

// Unkeep takes the marks away, and returns how many there were. It triggers
// nothing.
func (l *Ledger) Unkeep(ctx context.Context, paths ...storage.Path) (int64, error) {
	if len(paths) == 0 {
		return 0, nil
	}
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = p.String()
	}
	n, err := l.rdb.HDel(ctx, l.key("kept"), names...).Result()
	if err != nil {
		return 0, storage.Temporary(fmt.Errorf("let pages come back: %w", err))
	}
	return n, nil
}

// Kept returns a page's mark; nil when it has none.
func (l *Ledger) Kept(ctx context.Context, p storage.Path) (*Kept, error) {
	text, err := l.rdb.HGet(ctx, l.key("kept"), p.String()).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read page state: %w", err))
	}
	k := new(Kept)
	_ = json.Unmarshal([]byte(text), k) // the mark counts, whatever it says
	return k, nil
}

// Seize triggers a page and claims it in one step, from whoever has it, so
// that it can be removed at once. A run that is alive is lost.
func (l *Ledger) Seize(ctx context.Context, p storage.Path, reason string) (*Run, error) {
	return l.seize(ctx, p, reason, l.nonce())
}

func (l *Ledger) seize(ctx context.Context, p storage.Path, reason, owner string) (*Run, error) {
	r, err := l.run(ctx, l.scripts.seize, p, owner, ms(l.cfg.Lease), reason)
	if err != nil {
		return nil, err
	}
	return l.newRun(r, p, fmt.Sprintf("%d-%s-seize", r.number(1), owner), owner)
}
