package ledger

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

//go:embed lua/poll_claim.lua
var pollClaim string

//go:embed lua/poll_keep.lua
var pollKeep string

// pollLease is how long a poll is one process' own without a sign of life.
const pollLease = 15 * time.Second

// Poll is one process' turn to ask a source what has changed there. While it
// has that, no other process does.
type Poll struct {
	ledger *Ledger
	name   string
	owner  string
	// Progress is what was noted of each collection, see Seen.
	Progress map[string]string
}

// PollClaim is what ClaimPoll has come to.
type PollClaim struct {
	Turn *Poll         // nil when there is to be no poll now
	Wait time.Duration // how long there is none: until the next is due, or another process must have ended its own
}

// ClaimPoll takes the turn to poll a source that is polled this often, when it
// is due, or at once with now.
func (l *Ledger) ClaimPoll(ctx context.Context, name string, every time.Duration, now bool) (PollClaim, error) {
	p := &Poll{ledger: l, name: name, owner: l.nonce()}
	at := 0
	if now {
		at = 1
	}
	r, err := l.evalPoll(ctx, pollClaim, name, p.owner, ms(pollLease), ms(2*every), at)
	switch {
	case err != nil:
		return PollClaim{}, err
	case r.text(0) != "claimed":
		return PollClaim{Wait: r.duration(1)}, nil
	}
	p.Progress, err = l.PollProgress(ctx, name)
	return PollClaim{Turn: p}, err
}

// PollProgress returns what was noted of each collection of a source.
func (l *Ledger) PollProgress(ctx context.Context, name string) (map[string]string, error) {
	all, err := l.rdb.HGetAll(ctx, l.key("poll:"+name)).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read poll: %w", err))
	}
	progress := make(map[string]string)
	for field, text := range all {
		if collection, ok := strings.CutPrefix(field, "c:"); ok {
			progress[collection] = text
		}
	}
	return progress, nil
}

// Renewal is how often Renew has to be called to keep the turn.
func (p *Poll) Renewal() time.Duration { return pollLease / 5 }

// Renew is a sign of life; storage.ErrLost when the turn is another's.
func (p *Poll) Renew(ctx context.Context) error {
	r, err := p.ledger.evalPoll(ctx, pollKeep, p.name, p.owner, ms(pollLease))
	return lostOr(r, err)
}

// End gives the turn back, and says what became of it. The next one is due
// after next.
func (p *Poll) End(ctx context.Context, s PollState, next time.Duration) error {
	key := p.ledger.key("polls")
	if text, err := p.ledger.rdb.HGet(ctx, key, p.name).Result(); err == nil {
		var before PollState
		_ = json.Unmarshal([]byte(text), &before) // written here
		s.Total += before.Total
	}
	s.Source = p.name
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode poll: %w", err)
	}
	if err := p.ledger.rdb.HSet(ctx, key, p.name, b).Err(); err != nil {
		return storage.Temporary(fmt.Errorf("end poll: %w", err))
	}
	r, err := p.ledger.evalPoll(ctx, pollKeep, p.name, p.owner, 0, ms(next))
	return lostOr(r, err)
}

func lostOr(r reply, err error) error {
	if err == nil && r.text(0) == "lost" {
		return storage.ErrLost
	}
	return err
}

func (l *Ledger) evalPoll(ctx context.Context, script, name string, args ...any) (reply, error) {
	v, err := redis.NewScript(script).Run(ctx, l.rdb, []string{l.key("poll:" + name)}, args...).Slice()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("poll %s: %w", name, err))
	}
	return reply(v), nil
}

// PollState says how the last poll of a source ended.
type PollState struct {
	Source   string    `json:"source"`
	At       time.Time `json:"at"`              // when it ended
	Next     time.Time `json:"next,omitzero"`   // when the next one is due; zero when nobody asks by itself
	Found    int       `json:"found"`           // changes of which nobody had told
	Total    int64     `json:"total"`           // of all polls
	Requests int       `json:"requests"`        // that it took
	Open     bool      `json:"open,omitzero"`   // it goes on with the next poll
	Error    string    `json:"error,omitzero"`  // why it ended early; holds no secret
	Notes    []string  `json:"notes,omitempty"` // what is left out, and why
}

// Polls returns how the last poll of each source ended, sorted by their names.
func (l *Ledger) Polls(ctx context.Context) ([]PollState, error) {
	all, err := l.rdb.HVals(ctx, l.key("polls")).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read polls: %w", err))
	}
	var list []PollState
	for _, text := range all {
		var s PollState
		if json.Unmarshal([]byte(text), &s) == nil {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b PollState) int { return strings.Compare(a.Source, b.Source) })
	return list, nil
}

// ForgetPolls forgets what polls have seen of the sources that are not among
// keep, which are polled no more, and returns their names, sorted. With dry it
// only names them.
func (l *Ledger) ForgetPolls(ctx context.Context, keep []string, dry bool) ([]string, error) {
	names, err := l.rdb.HKeys(ctx, l.key("polls")).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read polls: %w", err))
	}
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(keep, name) })
	slices.Sort(names)
	if dry {
		return names, nil
	}
	for i, name := range names {
		progress, err := l.PollProgress(ctx, name)
		if err != nil {
			return names[:i], err
		}
		keys := []string{l.key("poll:" + name)}
		for collection := range progress {
			keys = append(keys, Seen{name, collection}.key(l))
		}
		_, err = l.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.Unlink(ctx, keys...)
			pipe.HDel(ctx, l.key("polls"), name)
			return nil
		})
		if err != nil {
			return names[:i], storage.Temporary(fmt.Errorf("forget poll: %w", err))
		}
	}
	return names, nil
}
