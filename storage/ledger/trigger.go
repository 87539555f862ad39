package ledger

import (
	"context"
	"fmt"
	"time"

	"rebake/storage"
)

// Priority orders triggers; each has a queue of its name.
type Priority int

// The numbers are on the wire: never change one.
const (
	Low      Priority = 0 // bulk: builds, whole tags, layout changes
	Default  Priority = 1 // timers and what nobody waits for
	Critical Priority = 2 // a person has edited something
)

// String returns the name of the priority and of its queue.
func (p Priority) String() string {
	switch p {
	case Low:
		return "low"
	case Critical:
		return "critical"
	default:
		return "default"
	}
}

// ParsePriority reads a priority's name.
func ParsePriority(s string) (Priority, error) {
	for _, p := range []Priority{Low, Default, Critical} {
		if p.String() == s {
			return p, nil
		}
	}
	return Default, fmt.Errorf("priority %q: known: critical, default, low", s)
}

// MarshalText writes the priority's name.
func (p Priority) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the priority's name.
func (p *Priority) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePriority(string(b))
	return err
}

// Request says who asks for a page, and how.
type Request struct {
	Priority Priority
	// Reason says for people who asked: "api 10.0.0.7", "recheck".
	Reason string
	// Recheck asks for a second look this much later; 0 for none.
	Recheck time.Duration
	// Settle is how long the page has to be left alone before it is rendered;
	// every further trigger begins that time anew. 0 is at once. A page that
	// somebody asks for without Settle does not wait any more, and is rendered
	// once more when that time is over. The same holds for labels.
	Settle time.Duration
	// MaxWait bounds what Settle adds up to, since the first trigger; then the
	// page is rendered, and once more when it has been left alone. Less than
	// Settle counts as that. Both count as five minutes if they are more.
	MaxWait time.Duration
	// OnlyPublished leaves a page alone that was never published, unless it is
	// on its way there.
	OnlyPublished bool
	// PartOf makes the request a part of the trigger with that number, which a
	// walk has found out: a page that has met it, or is about to, is left alone,
	// and one trigger with many parts costs a page one render. Settle only waits
	// for other parts then. 0 for a trigger of its own.
	PartOf uint64
}

// longestSettle is far below FAR of base.lua.
const longestSettle = 5 * time.Minute

// settle returns how long it has to be quiet, and is waited for that, in ms.
func (r Request) settle() (quiet, most int64) {
	quiet = max(0, ms(min(r.Settle, longestSettle)))
	return quiet, max(quiet, ms(min(r.MaxWait, longestSettle)))
}

// Token is a wake-up that has to reach a worker: the only thing that Claim
// takes. It may be stale by then, which costs nothing.
type Token struct {
	Path     storage.Path // of the page, or else
	Label    Label        // of the walk
	ID       string
	Priority Priority
	Wait     time.Duration // until it may be claimed
}

// Receipt is the answer to an accepted trigger.
type Receipt struct {
	// ID is the trigger's number: a run that claims later meets it.
	ID uint64
	// Skipped says that Request.OnlyPublished or Request.PartOf left the page, or
	// the label, alone.
	Skipped bool
	// Token is to be sent to a worker; nil when a token that waits, or the run
	// that is under way, will do.
	Token *Token
}

// Trigger records that a page is owed a render. When it returns without an
// error the trigger is accepted: only the finished run of a later claim
// strikes it off, whatever dies.
func (l *Ledger) Trigger(ctx context.Context, p storage.Path, req Request) (Receipt, error) {
	return l.trigger(ctx, p, req, l.nonce())
}

func (l *Ledger) trigger(ctx context.Context, p storage.Path, req Request, nonce string) (Receipt, error) {
	only := 0
	if req.OnlyPublished {
		only = 1
	}
	settle, most := req.settle()
	r, err := l.run(ctx, l.scripts.trigger, p, int(req.Priority), nonce, req.Reason, ms(l.cfg.MaxRun), ms(req.Recheck), only, settle, most, req.PartOf)
	if err != nil {
		return Receipt{}, err
	}
	return receipt(r, p)
}

func receipt(r reply, p storage.Path) (Receipt, error) {
	switch r.text(0) {
	case "skipped", "none":
		return Receipt{Skipped: true}, nil
	case "running", "coalesced":
		return Receipt{ID: uint64(r.number(1))}, nil
	case "queued":
		return Receipt{ID: uint64(r.number(1)), Token: r.token(p)}, nil
	}
	return Receipt{}, errUnknownReply(r)
}
