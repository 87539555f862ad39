package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// far is further ahead than any lease or back-off: FAR of base.lua.
const far = 10 * time.Minute

// Suspect is a page, or the walk of a label, that the sweeper has to look at:
// its run may be dead, or its token may have reached nobody.
type Suspect struct {
	Token
	// Running says that a run's lease is over; no task has to be looked for.
	Running bool
	// Due says that the token may be claimed now.
	Due bool
}

// Suspects returns what there is whose time to be looked at has come, the longest
// overdue first, at most limit, and how long it is until the next one.
func (l *Ledger) Suspects(ctx context.Context, limit int) (list []Suspect, next time.Duration, err error) {
	now, err := l.rdb.Time(ctx).Result()
	if err != nil {
		return nil, 0, fmt.Errorf("sweep: %w", err)
	}
	due, err := l.rdb.ZRangeWithScores(ctx, l.key("dirty"), 0, int64(limit)).Result()
	if err != nil {
		return nil, 0, fmt.Errorf("sweep: %w", err)
	}
	next = time.Hour
	if len(due) > limit {
		next = 0
	}
	if due, err = l.addFar(ctx, due, now, limit); err != nil {
		return nil, 0, fmt.Errorf("sweep: %w", err)
	}
	pipe := l.rdb.Pipeline()
	var tokens []Token
	var records []*redis.SliceCmd
	var unknown []redis.Z
	for _, z := range due {
		if wait := time.Duration(int64(z.Score)-now.UnixMilli()) * time.Millisecond; wait > 0 {
			next = wait
			break
		}
		if len(tokens) == limit {
			break
		}
		tok, key, ok := l.suspect(fmt.Sprint(z.Member))
		if !ok {
			unknown = append(unknown, z)
			continue
		}
		tokens = append(tokens, tok)
		records = append(records, pipe.HMGet(ctx, key, "st", "tok", "prio", "due"))
	}
	if err := l.postpone(ctx, "dirty", unknown, now); err != nil {
		return nil, 0, fmt.Errorf("sweep: %w", err)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, 0, fmt.Errorf("sweep: %w", err)
	}
	for i, cmd := range records {
		f := reply(cmd.Val())
		tokens[i].ID, tokens[i].Priority = f.text(1), Priority(f.number(2))
		wait := time.Duration(f.number(3)-now.UnixMilli()) * time.Millisecond
		list = append(list, Suspect{Token: tokens[i], Running: f.text(0) == "running", Due: wait <= 0 || wait > far})
	}
	return list, next, nil
}

// addFar puts before what is due what is to be looked at in a time that is too
// far away for that: the clock was put back since it was written.
func (l *Ledger) addFar(ctx context.Context, due []redis.Z, now time.Time, limit int) ([]redis.Z, error) {
	from := now.Add(max(far, 2*l.keepLabel()))
	list, err := l.rdb.ZRangeByScoreWithScores(ctx, l.key("dirty"), &redis.ZRangeBy{
		Min: strconv.FormatInt(from.UnixMilli(), 10), Max: "+inf", Count: int64(limit),
	}).Result()
	if len(list) == 0 || err != nil {
		return due, err
	}
	for i := range list {
		list[i].Score = 0
	}
	return append(list, due...), nil
}

// suspect tells what a member of `dirty` is, and where its record stands.
func (l *Ledger) suspect(member string) (tok Token, key string, ok bool) {
	if label, err := ParseLabel(member); err == nil {
		return Token{Label: label}, l.key("walk:" + member), true
	}
	p, err := parsePath(member)
	return Token{Path: p}, l.key("owed:" + member), err == nil
}

// Number is the place of the token among all triggers and tokens.
func (t Token) Number() uint64 {
	n, _, _ := strings.Cut(t.ID, "-")
	v, _ := strconv.ParseUint(n, 10, 64)
	return v
}

// Swept is what became of a suspect; the zero value when nothing had to be
// done, or the page has moved on by itself.
type Swept struct {
	// Token is to be sent to a worker.
	Token *Token
	// Poison says why the page has failed: it is taken for what killed its
	// runs. A new trigger tries it again.
	Poison string
}

// Sweep repairs one suspect. taskThere says that a task with its token still
// waits in the queue: then it is looked at again later.
func (l *Ledger) Sweep(ctx context.Context, s Suspect, taskThere bool) (Swept, error) {
	task := "missing"
	if taskThere {
		task = "there"
	}
	if s.Label != "" {
		tok, err := l.sweepWalk(ctx, s, task)
		return Swept{Token: tok}, err
	}
	poison := fmt.Sprintf("poison page: %d runs in a row ended without an answer, the last %d of them alone in their process; what renders it may take the process down; a new trigger tries it again",
		l.cfg.MaxDeaths, l.cfg.MaxDeaths-l.cfg.CrowdDeaths)
	r, err := l.run(ctx, l.scripts.sweep, s.Path, s.ID, l.nonce(), task, l.cfg.MaxDeaths, poison)
	if err != nil {
		return Swept{}, err
	}
	switch r.text(0) {
	case "queued":
		return Swept{Token: r.token(s.Path)}, nil
	case "poisoned":
		return Swept{Poison: poison}, nil
	}
	return Swept{}, nil
}
