package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Process names this process to the ledger, for ever: its runs and walks are
// known by it. See Bury.
func (l *Ledger) Process() string { return l.process }

// Bury ends the leases of a process that is known to be dead, so that the
// sweeper need not wait for them, and returns how many there were. Nothing is
// lost when the process lives after all: its runs find that out at their fence.
func (l *Ledger) Bury(ctx context.Context, process string) (n int, err error) {
	if process == "" || process == l.process {
		return 0, nil
	}
	members, err := l.leased(ctx)
	for ; err == nil && len(members) > 0; members = members[min(len(members), listBatch):] {
		var freed int
		freed, err = l.buryBatch(ctx, process, members[:min(len(members), listBatch)])
		n += freed
	}
	if err != nil {
		return n, fmt.Errorf("bury a process: %w", err)
	}
	return n, nil
}

// leased returns what may have a lease: what is to be looked at within its time.
func (l *Ledger) leased(ctx context.Context) ([]string, error) {
	now, err := l.rdb.Time(ctx).Result()
	if err != nil {
		return nil, err
	}
	end := now.Add(l.cfg.Lease).UnixMilli()
	return l.rdb.ZRangeByScore(ctx, l.key("dirty"), &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(end, 10)}).Result()
}

func (l *Ledger) buryBatch(ctx context.Context, process string, members []string) (n int, err error) {
	pipe := l.rdb.Pipeline()
	owners := make([]*redis.StringCmd, len(members))
	suspects := make([]Token, len(members))
	for i, member := range members {
		tok, key, ok := l.suspect(member)
		if !ok {
			continue
		}
		suspects[i], owners[i] = tok, pipe.HGet(ctx, key, "own")
	}
	_, _ = pipe.Exec(ctx) // many have none; what cannot be read now has its lease
	for i, own := range owners {
		if own == nil || !strings.HasPrefix(own.Val(), process) {
			continue
		}
		var r reply
		if tok := suspects[i]; tok.Label != "" {
			r, err = l.runWalk(ctx, l.scripts.walkBury, tok.Label, process)
		} else {
			r, err = l.run(ctx, l.scripts.bury, tok.Path, process)
		}
		if err != nil {
			return n, err
		}
		if r.text(0) == "freed" {
			n++
		}
	}
	return n, nil
}
