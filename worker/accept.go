package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

// Trigger says that something changed.
type Trigger struct {
	Paths []storage.Path
	// Known are paths that are only triggered where something was published
	// once: what the sender believes to be pages, or knows to have been.
	Known []storage.Path
	// Labels name pages by what they have in common.
	Labels []ledger.Label
	// Items are what has changed in the CMS. The pages that show one are
	// triggered, and those that ought to, which the CMS is asked for.
	Items    []Item
	Priority ledger.Priority
	// Edited is when all of it had been changed, by the clock of those who make
	// the pages: one that says that it was made before is not published. Zero
	// when the sender does not say.
	Edited time.Time
	// Reason says for people who asked.
	Reason string
	// Recheck asks for a second look a little later.
	Recheck bool
	// RecheckAfter is how much later; 0 is Config.Recheck.
	RecheckAfter time.Duration
	// Settle and MaxWait are those of ledger.Request.
	Settle, MaxWait time.Duration
	// OnlyPublished leaves pages alone that were never published.
	OnlyPublished bool
	// Unkeep lets the named pages come back that were kept removed.
	Unkeep bool
	// At is when it is to be triggered: it is durable now, and accepted then.
	// Of several for one page the last one holds. Zero is now.
	At time.Time
}

// Item is an item of a CMS that has changed, or is gone.
type Item struct {
	// Tag is that of the pages that show it: "post:42".
	Tag string
	// Version is what it is now, "" when the sender does not say.
	Version string
}

// Accepted is the answer to a trigger that is durable.
type Accepted struct {
	// Pages are those that are owed a render now, or with Trigger.At then.
	Pages []AcceptedPage
	// Labels are those that will be walked.
	Labels []AcceptedLabel
	// Unmatched are paths that no route matches: nothing is done about them.
	Unmatched []storage.Path
	// OverQuota are paths that were never a page and are none now, since the
	// site has as many as it may have.
	OverQuota []storage.Path
	// Spooled is what waits in the spool; nil when the ledger has it all.
	Spooled *Spooled
}

// AcceptedPage is one page of an accepted trigger.
type AcceptedPage struct {
	Path storage.Path
	ID   uint64 // see Wait; 0 for one of Trigger.At
}

// AcceptedLabel is one label of an accepted trigger.
type AcceptedLabel struct {
	Label ledger.Label
	ID    uint64 // see WaitLabel; 0 for one of Trigger.At
	Pages int64  // how many pages have the label now
}

// ID returns the number of the whole trigger: that of its newest part, 0 when
// it has none.
func (a Accepted) ID() uint64 {
	var id uint64
	for _, p := range a.Pages {
		id = max(id, p.ID)
	}
	for _, l := range a.Labels {
		id = max(id, l.ID)
	}
	return id
}

// attemptTime bounds how long Redis may take before a trigger goes to the
// spool: senders wait for two seconds, and seldom try again.
const attemptTime = 800 * time.Millisecond

var errTooSlow = fmt.Errorf("no answer within %s", attemptTime)

// Accept makes the trigger durable. When it returns without an error, every
// page of it is owed a render, in the ledger or in the spool, whatever dies.
// After an error some may be, and the trigger should be sent again. It takes
// little more than attemptTime, however Redis hangs.
//
// A trigger of the spool may come to the ledger later than one that was sent
// after it, and more than once. Both are harmless: it says that something has
// changed, and is met by any render that begins after it. What is not so is
// kept apart: a trigger with At that comes late stands beside the others and
// does not replace them, and Unkeep leaves a page alone that was removed since.
func (w *Worker) Accept(ctx context.Context, t Trigger) (Accepted, error) {
	var unmatched []storage.Path
	t.Paths, unmatched = w.matched(t.Paths)
	t.Known, _ = w.matched(t.Known) // that they are pages was never sure
	t.Known = slices.DeleteFunc(t.Known, func(p storage.Path) bool { return slices.Contains(t.Paths, p) })
	t.Items = slices.DeleteFunc(slices.Clone(t.Items), func(i Item) bool { return i.Tag == "" })
	a, err := w.acceptMatched(ctx, t)
	a.Unmatched = unmatched
	return a, err
}

// matched tells paths that a route has from those that none has.
func (w *Worker) matched(paths []storage.Path) (pages, others []storage.Path) {
	for _, p := range paths {
		if w.Matches(p) {
			pages = append(pages, p)
		} else {
			others = append(others, p)
		}
	}
	return pages, others
}

func (w *Worker) acceptMatched(ctx context.Context, t Trigger) (Accepted, error) {
	if len(t.Paths)+len(t.Known)+len(t.Labels)+len(t.Items) == 0 {
		return Accepted{}, nil
	}
	if w.Spool == nil {
		a, _, err := w.record(ctx, t)
		return a, err
	}
	var a Accepted
	err := w.intake.closed()
	if err == nil {
		attempt, cancel := context.WithTimeoutCause(ctx, attemptTime, errTooSlow)
		a, t, err = w.record(attempt, t)
		cancel()
		if err == nil {
			return a, nil
		}
		if ctx.Err() == nil { // else nobody knows whose fault it is
			w.lost(err)
		}
	}
	s, spoolErr := w.spool(t, err)
	if spoolErr != nil {
		return a, &NotSpooledError{Redis: err, Spool: spoolErr}
	}
	a.Spooled = s
	return a, nil
}

// NotSpooledError is a trigger that neither Redis nor the spool took: it has to
// be sent again.
type NotSpooledError struct {
	Redis, Spool error
}

func (e *NotSpooledError) Error() string {
	return errors.Join(e.Redis, e.Spool).Error()
}

// Unwrap returns both causes.
func (e *NotSpooledError) Unwrap() []error { return []error{e.Redis, e.Spool} }
