package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"rebake/storage"
	"rebake/storage/ledger"
)

// Trigger says that something changed.
type Trigger struct {
	Paths []storage.Path
	// Labels name pages by what they have in common.
	Labels   []ledger.Label
	Priority ledger.Priority
	// Reason says for people who asked.
	Reason string
	// Recheck asks for a second look a little later.
	Recheck bool
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

const (
	// atOnce is how many pages of one trigger are recorded at a time. Redis
	// puts what arrives together on disk together, so this costs one fsync and
	// not many.
	atOnce = 16
	// attemptTime bounds how long Redis may take before a trigger goes to the
	// spool: senders wait for two seconds, and seldom try again.
	attemptTime = 800 * time.Millisecond
)

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
	var unmatched, pages []storage.Path
	for _, p := range t.Paths {
		if w.Matches(p) {
			pages = append(pages, p)
		} else {
			unmatched = append(unmatched, p)
		}
	}
	t.Paths = pages
	a, err := w.acceptMatched(ctx, t)
	a.Unmatched = unmatched
	return a, err
}

func (w *Worker) acceptMatched(ctx context.Context, t Trigger) (Accepted, error) {
	if len(t.Paths)+len(t.Labels) == 0 {
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

// record records the trigger in the ledger. After an error rest is what may not
// be there.
func (w *Worker) record(ctx context.Context, t Trigger) (a Accepted, rest Trigger, err error) {
	rest = t
	if t.Unkeep {
		if _, err := w.Ledger.Unkeep(ctx, t.Paths...); err != nil {
			return a, rest, err
		}
	}
	req := ledger.Request{Priority: t.Priority, Reason: t.Reason, OnlyPublished: t.OnlyPublished}
	if t.Recheck {
		req.Recheck = w.cfg.Recheck
	}
	// A failed count refuses nobody: the render will be asked again.
	if full, err := w.quotaFull(ctx, 0); err == nil && full {
		req.OnlyPublished = true
	}
	pages, pageErrs := make([]*AcceptedPage, len(t.Paths)), make([]error, len(t.Paths))
	labels, labelErrs := make([]*AcceptedLabel, len(t.Labels)), make([]error, len(t.Labels))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, p := range t.Paths {
		group.Go(func() error {
			pages[i], pageErrs[i] = w.recordPage(ctx, p, t.At, req)
			return pageErrs[i]
		})
	}
	for i, label := range t.Labels {
		group.Go(func() error {
			labels[i], labelErrs[i] = w.recordLabel(ctx, label, t.At, req)
			return labelErrs[i]
		})
	}
	err = group.Wait()
	rest.Paths, rest.Labels = nil, nil
	for i, p := range pages {
		switch {
		case pageErrs[i] != nil:
			rest.Paths = append(rest.Paths, t.Paths[i])
		case p != nil:
			a.Pages = append(a.Pages, *p)
		case req.OnlyPublished && !t.OnlyPublished:
			a.OverQuota = append(a.OverQuota, t.Paths[i])
		}
	}
	for i, l := range labels {
		switch {
		case labelErrs[i] != nil:
			rest.Labels = append(rest.Labels, t.Labels[i])
		case l != nil:
			a.Labels = append(a.Labels, *l)
		}
	}
	return a, rest, err
}

// recordPage returns nil for a page that OnlyPublished left alone.
func (w *Worker) recordPage(ctx context.Context, p storage.Path, at time.Time, req ledger.Request) (*AcceptedPage, error) {
	if !at.IsZero() {
		return &AcceptedPage{Path: p}, w.Ledger.Schedule(ctx, p, at)
	}
	r, err := w.Ledger.Trigger(ctx, p, req)
	if err != nil || r.Skipped {
		return nil, err
	}
	w.wake(ctx, r.Token)
	return &AcceptedPage{p, r.ID}, nil
}

func (w *Worker) recordLabel(ctx context.Context, label ledger.Label, at time.Time, req ledger.Request) (*AcceptedLabel, error) {
	if !at.IsZero() {
		return &AcceptedLabel{Label: label}, w.Ledger.ScheduleLabel(ctx, label, at)
	}
	if !label.IsTag() {
		req.Recheck = 0 // so many pages are not rendered twice on a suspicion
	}
	r, err := w.Ledger.TriggerLabel(ctx, label, req)
	if err != nil {
		return nil, err
	}
	w.wake(ctx, r.Token)
	n, err := w.Ledger.Pages(ctx, label)
	if err != nil {
		n = 0 // it is accepted all the same; the number is for people
	}
	return &AcceptedLabel{label, r.ID, n}, nil
}

// wake brings a token to a worker: to a free one of this process at once, and
// to asynq in any case. When asynq cannot take it now, the sweeper will see to
// it, so that is no failure of the trigger.
func (w *Worker) wake(ctx context.Context, tok *ledger.Token) {
	if tok == nil {
		return
	}
	if tok.Wait == 0 {
		w.offer(*tok)
	}
	if err := w.queue.add(ctx, *tok); err != nil {
		w.Log.Warn("wake-up not queued, the sweeper will do it", "path", tok.Path.String(), "err", err)
	}
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
