package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// Walk is the expansion of a label into its pages: one per label, leased and
// swept like a run. Its cursor is the last path, since SSCAN loses members
// when Redis restarts.
type Walk struct {
	State ClaimState
	Label Label
	// Number is that of the trigger: a page that has met it is left alone.
	Number   uint64
	Priority Priority
	Reason   string
	// Attempts is how many times in a row the walk has ended with Later, and
	// Error why the last time.
	Attempts int
	Error    string
	// Wait is how long an early wake-up has to wait.
	Wait time.Duration
	// Token is to be sent to a worker after End has returned: the label was
	// triggered meanwhile, and is to settle.
	Token *Token

	ledger *Ledger
	owner  string
	from   string // the last path that Next returned

	mu     sync.Mutex
	kept   string // guarded by mu; the last path up to which all are taken
	number uint64 // guarded by mu; Number, for Renew
}

// ClaimWalk turns a walk's token into a walk, if it is the valid one.
func (l *Ledger) ClaimWalk(ctx context.Context, tok Token) (*Walk, error) {
	return l.claimWalk(ctx, tok, l.nonce())
}

func (l *Ledger) claimWalk(ctx context.Context, tok Token, owner string) (*Walk, error) {
	r, err := l.runWalk(ctx, l.scripts.walkClaim, tok.Label, tok.ID, owner, ms(l.cfg.Lease))
	if err != nil {
		return nil, err
	}
	w := &Walk{State: ClaimState(r.text(0)), Label: tok.Label, ledger: l, owner: owner}
	switch w.State {
	case Claimed:
		w.begin(r.text(2), reply{r[1], r[3], r[4]})
		w.Attempts, w.Error = int(r.number(5)), r.text(6)
	case Early:
		w.Wait = r.duration(1)
	}
	return w, nil
}

// begin starts a round at a cursor. The reply holds the number, the priority
// and the reason.
func (w *Walk) begin(from string, r reply) {
	w.Number, w.Priority, w.Reason = uint64(r.number(0)), Priority(r.number(1)), r.text(2)
	w.from = from
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept, w.number = from, w.Number
}

// Next returns the pages that follow the cursor, at most limit; none at the
// end.
func (w *Walk) Next(ctx context.Context, limit int) (list []storage.Path, err error) {
	list, w.from, err = w.ledger.pagesAfter(ctx, w.Label, w.from, limit)
	return list, err
}

// pagesAfter returns pages of a label that sort after a path, and the path to
// go on from; no page at the end.
func (l *Ledger) pagesAfter(ctx context.Context, label Label, from string, limit int) ([]storage.Path, string, error) {
	index, low, high := label.index()
	for {
		if from != "" {
			low = "(" + from
		}
		names, err := l.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: l.key(index), ByLex: true, Start: low, Stop: high, Count: int64(limit),
		}).Result()
		if err != nil {
			return nil, from, storage.Temporary(fmt.Errorf("read pages of %s: %w", label, err))
		}
		if len(names) == 0 {
			return nil, from, nil
		}
		from = names[len(names)-1]
		var list []storage.Path
		for _, name := range names {
			if p, err := parsePath(name); err == nil && label.holds(name) {
				list = append(list, p)
			}
		}
		if len(list) > 0 {
			return list, from, nil
		}
	}
}

// EachPage calls f for every page that has the label, in the order of paths,
// until it returns an error. For a route that is every page.
func (l *Ledger) EachPage(ctx context.Context, label Label, f func(storage.Path) error) error {
	return l.EachBatch(ctx, label, func(list []storage.Path) error {
		for _, p := range list {
			if err := f(p); err != nil {
				return err
			}
		}
		return nil
	})
}

// EachBatch is EachPage for a caller that deals with some pages at a time.
func (l *Ledger) EachBatch(ctx context.Context, label Label, f func([]storage.Path) error) error {
	list, from, err := l.pagesAfter(ctx, label, "", listBatch)
	for ; err == nil && len(list) > 0; list, from, err = l.pagesAfter(ctx, label, from, listBatch) {
		if err := f(list); err != nil {
			return err
		}
	}
	return err
}

// Walking reports whether a walk of the label waits or is under way.
func (l *Ledger) Walking(ctx context.Context, label Label) (bool, error) {
	n, err := l.rdb.Exists(ctx, l.key("walk:"+string(label))).Result()
	if err != nil {
		return false, storage.Temporary(fmt.Errorf("read walk of %s: %w", label, err))
	}
	return n > 0, nil
}

// Advance keeps the cursor: every page that Next has returned is taken. It is
// a sign of life, too.
func (w *Walk) Advance(ctx context.Context) error {
	w.mu.Lock()
	w.kept = w.from
	w.mu.Unlock()
	return w.Renew(ctx)
}

// Renew gives a sign of life; it may be called while another goroutine takes
// pages. storage.ErrLost says that the walk is another's now.
func (w *Walk) Renew(ctx context.Context) error {
	w.mu.Lock()
	kept, number := w.kept, w.number
	w.mu.Unlock()
	r, err := w.ledger.runWalk(ctx, w.ledger.scripts.walkStep, w.Label, w.owner, ms(w.ledger.cfg.Lease), kept, number)
	if err == nil && r.text(0) != "ok" {
		return fmt.Errorf("walk %s: %w", w.Label, storage.ErrLost)
	}
	return err
}

// End ends the walk. True means that the label was triggered meanwhile, and
// the walk begins once more, with the new number, priority and reason. When it
// is to settle before that, the walk has ended, and Token is set.
func (w *Walk) End(ctx context.Context) (again bool, err error) {
	r, err := w.ledger.runWalk(ctx, w.ledger.scripts.walkEnd, w.Label, w.owner, ms(w.ledger.keepLabel()), w.Number)
	if err != nil {
		return false, err
	}
	switch r.text(0) {
	case "done":
		return false, nil
	case "again":
		w.begin("", r[1:])
		w.Attempts, w.Error = 0, ""
		return true, nil
	case "queued":
		w.Token = w.token(r)
		return false, nil
	}
	return false, fmt.Errorf("walk %s: %w", w.Label, storage.ErrLost)
}

// Later ends a walk that has been at all its pages, and could not do all that
// the label asks for: it comes back after some time, at its end, or from the
// beginning when the label was triggered since, which brings it forward too.
// The reason is kept for people. The token is to be sent to a worker.
func (w *Walk) Later(ctx context.Context, after time.Duration, reason string) (*Token, error) {
	r, err := w.ledger.runWalk(ctx, w.ledger.scripts.walkLater, w.Label, w.owner, ms(after), reason)
	if err != nil {
		return nil, err
	}
	if r.text(0) != "queued" {
		return nil, fmt.Errorf("walk %s: %w", w.Label, storage.ErrLost)
	}
	return w.token(r), nil
}

func (w *Walk) token(r reply) *Token {
	tok := r.token(storage.Path{})
	tok.Label = w.Label
	return tok
}

// Release gives the walk back, at shutdown.
func (w *Walk) Release(ctx context.Context) error {
	_, err := w.ledger.runWalk(ctx, w.ledger.scripts.walkRelease, w.Label, w.owner)
	return err
}

func (l *Ledger) sweepWalk(ctx context.Context, s Suspect, task string) (*Token, error) {
	r, err := l.runWalk(ctx, l.scripts.walkSweep, s.Label, s.ID, l.nonce(), ms(l.keepLabel()), task)
	if err != nil || r.text(0) != "queued" {
		return nil, err
	}
	tok := r.token(storage.Path{})
	tok.Label = s.Label
	return tok, nil
}

// keepLabel is how long the number of a label is kept after its trigger: until
// every run that was claimed before it has ended.
func (l *Ledger) keepLabel() time.Duration { return 2 * l.cfg.MaxRun }

// runWalk runs a script over one label.
func (l *Ledger) runWalk(ctx context.Context, s *redis.Script, label Label, args ...any) (reply, error) {
	return l.eval(ctx, s, []string{
		l.key("seq"), l.key("walk:" + string(label)), l.key("label"), l.key("dirty"),
	}, append([]any{string(label)}, args...))
}

// Sequence returns the number of the newest trigger. What is read upstream
// after it may be used by a run that is taken with this number.
func (l *Ledger) Sequence(ctx context.Context) (uint64, error) {
	n, err := l.rdb.Get(ctx, l.key("seq")).Uint64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, storage.Temporary(fmt.Errorf("read sequence: %w", err))
	}
	return n, nil
}

// NextNumber returns a number of its own for a trigger that names its pages
// one after the other: a build.
func (l *Ledger) NextNumber(ctx context.Context) (uint64, error) {
	n, err := l.rdb.Incr(ctx, l.key("seq")).Uint64()
	if err != nil {
		return 0, storage.Temporary(fmt.Errorf("take a number: %w", err))
	}
	return n, nil
}

// Bulk says for whom pages are taken: a walk or a build.
type Bulk struct {
	// Number is that of the trigger; pages that have met it are left alone.
	Number uint64
	// G0 was read with Sequence before anything was read upstream; at least
	// Number. 0 when nothing has been read yet: then it is read by Take. When
	// what was read is too old for a page, Take answers Busy and queues it.
	G0       uint64
	Priority Priority
	Reason   string
	// Index is that of the walk: a path in it that is no page any more is
	// taken out. Empty for a build.
	Index Label
}

// The answers to Take, besides Claimed and Busy.
const (
	Met     ClaimState = "fresh"   // the page has met the number already
	Backing ClaimState = "waiting" // it backs off, and will see the number then
)

// Take triggers a page and claims it in one step, for a bulk. The trigger is
// accepted whatever the state of the answer is.
func (l *Ledger) Take(ctx context.Context, p storage.Path, b Bulk) (*Run, error) {
	return l.take(ctx, p, b, l.nonce())
}

func (l *Ledger) take(ctx context.Context, p storage.Path, b Bulk, owner string) (*Run, error) {
	index := ""
	if b.Index != "" {
		index, _, _ = b.Index.index()
	}
	r, err := l.run(ctx, l.scripts.take, p, b.Number, b.G0, owner, ms(l.cfg.Lease), int(b.Priority), b.Reason, index, l.cfg.CrowdDeaths)
	if err != nil {
		return nil, err
	}
	return l.newRun(r, p, fmt.Sprintf("%d-%s", b.Number, owner), owner)
}
