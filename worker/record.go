package worker

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"rebake/storage"
	"rebake/storage/ledger"
)

// atOnce is how many parts of one trigger are recorded at a time. Redis puts
// what arrives together on disk together, so this costs one fsync and not
// many.
const atOnce = 16

// itemSettle and itemMaxWait are how long an item settles for a sender who does
// not: some tell of each item several times in a moment, and each time the CMS
// would be asked for it.
const (
	itemSettle  = 300 * time.Millisecond
	itemMaxWait = 2 * time.Second
)

// afterItems is how much longer what a trigger names besides its items settles:
// the walks of these begin first then, and leave alone what is rendered after.
const afterItems = 50 * time.Millisecond

// record records the trigger in the ledger. After an error rest is what may not
// be there.
func (w *Worker) record(ctx context.Context, t Trigger) (a Accepted, rest Trigger, err error) {
	rest = t
	if t.Unkeep {
		if _, err := w.Ledger.Unkeep(ctx, t.Paths...); err != nil {
			return a, rest, err
		}
	}
	if err := w.announce(ctx, t); err != nil {
		return a, rest, err
	}
	req := ledger.Request{
		Priority: t.Priority, Reason: t.Reason, OnlyPublished: t.OnlyPublished, Settle: t.Settle, MaxWait: t.MaxWait,
	}
	if t.Recheck {
		req.Recheck = cmp.Or(t.RecheckAfter, w.cfg.Recheck)
	}
	// A failed count refuses nobody: the render will be asked again.
	if full, err := w.quotaFull(ctx, 0); err == nil && full {
		req.OnlyPublished = true
	}
	ofItems := req
	if len(t.Items) > 0 && req.Settle > 0 {
		req.Settle, req.MaxWait = req.Settle+afterItems, req.MaxWait+afterItems
	}
	known := req
	known.OnlyPublished = true
	if len(t.Paths)+len(t.Items) > 0 {
		known.Priority = min(req.Priority, ledger.Default) // the page that somebody has edited comes first
	}

	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	page := func(req ledger.Request) func(storage.Path) (*AcceptedPage, error) {
		return func(p storage.Path) (*AcceptedPage, error) { return w.recordPage(ctx, p, t.At, req) }
	}
	paths := recordEach(group, t.Paths, page(req))
	knowns := recordEach(group, t.Known, page(known))
	labels := recordEach(group, t.Labels, func(l ledger.Label) (*AcceptedLabel, error) {
		return w.recordLabel(ctx, l, t.At, req)
	})
	items := recordEach(group, t.Items, func(i Item) (*AcceptedLabel, error) {
		return w.recordLabel(ctx, ledger.Item(i.Tag), t.At, ofItems)
	})
	err = group.Wait()

	var skipped []storage.Path
	a.Pages, skipped, rest.Paths = paths.ends(t.Paths)
	if req.OnlyPublished && !t.OnlyPublished {
		a.OverQuota = skipped
	}
	more, _, left := knowns.ends(t.Known)
	a.Pages, rest.Known = append(a.Pages, more...), left
	a.Labels, _, rest.Labels = labels.ends(t.Labels)
	of, _, others := items.ends(t.Items)
	a.Labels, rest.Items = append(a.Labels, of...), others
	return a, rest, err
}

// recorded is what became of the parts of a trigger that are of one kind.
type recorded[Part, Accepted any] struct {
	accepted []*Accepted // nil for one that was left alone
	errs     []error
}

// recordEach has the group record each part.
func recordEach[Part, Accepted any](group *errgroup.Group, parts []Part, record func(Part) (*Accepted, error)) recorded[Part, Accepted] {
	r := recorded[Part, Accepted]{make([]*Accepted, len(parts)), make([]error, len(parts))}
	for i, part := range parts {
		group.Go(func() error {
			r.accepted[i], r.errs[i] = record(part)
			return r.errs[i]
		})
	}
	return r
}

// ends tells, when the group has ended, the parts that were accepted from those
// that were left alone, and from those that may not be recorded.
func (r recorded[Part, Accepted]) ends(parts []Part) (accepted []Accepted, skipped, failed []Part) {
	for i, part := range parts {
		switch {
		case r.errs[i] != nil:
			failed = append(failed, part)
		case r.accepted[i] != nil:
			accepted = append(accepted, *r.accepted[i])
		default:
			skipped = append(skipped, part)
		}
	}
	return accepted, skipped, failed
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
	if itemOf(label) != "" && req.Settle == 0 {
		req.Settle, req.MaxWait = itemSettle, itemMaxWait
	}
	r, err := w.Ledger.TriggerLabel(ctx, label, req)
	if err != nil || r.Skipped {
		return nil, err
	}
	w.wake(ctx, r.Token)
	n, err := w.Ledger.Pages(ctx, label)
	if err != nil {
		n = 0 // it is accepted all the same; the number is for people
	}
	return &AcceptedLabel{label, r.ID, n}, nil
}

// wake brings a token to a worker: to a free one of this process when its time
// has come, and to asynq in any case. When asynq cannot take it now, the sweeper
// will see to it, so that is no failure of the trigger.
func (w *Worker) wake(ctx context.Context, tok *ledger.Token) {
	if tok == nil {
		return
	}
	task := *tok
	switch {
	case tok.Wait == 0:
		w.offer(*tok)
	case !w.alarms.set(*tok) && tok.Wait <= longAlarm:
		task.Wait = 0 // whoever gets it is told that it is early, and has an alarm for it
	}
	if err := w.queue.add(ctx, task); err != nil {
		w.Log.Warn("wake-up not queued, the sweeper will do it", "path", tok.Path.String(), "err", err)
	}
}
