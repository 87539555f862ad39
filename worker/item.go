package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// Resolver is a Renderer that can ask a CMS what an item is now. With one that
// is none, only the pages that showed an item before are rendered. Resolve is
// called by several goroutines at once; its errors are those of Render, and what
// it returns beside one is used.
type Resolver interface {
	Resolve(ctx context.Context, item string, urgent bool) (renderer.Resolved, error)
}

// resolveWaits are the waits after the first times that a CMS could not be
// asked for an item; the last one holds from then on.
var resolveWaits = []time.Duration{
	1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second, 60 * time.Second,
}

const (
	// mostNonsense is how many times in a row a CMS is asked again that does not
	// just fail, but answers with something else, or takes too long for it. A
	// page for maintenance, or a notice of PHP before the JSON, goes away soon.
	mostNonsense = 5
	// lastResolve is when such a CMS is asked for the last time. Up to then the
	// walk says why.
	lastResolve = 30 * time.Minute
)

// errNotInTime is why the context of a resolve ends by itself.
var errNotInTime = errors.New("not resolved in time")

// comeback says why and when the walk of an item has to come back.
type comeback struct {
	in     time.Duration
	reason error
}

// itemOf returns the tag of an item's label, "" for any other label.
func itemOf(label ledger.Label) string {
	tag, ok := strings.CutPrefix(string(label), string(ledger.Item("")))
	if !ok {
		return ""
	}
	return tag
}

// resolve asks the CMS where the item of a walk ought to show now, and has that
// rendered: what shows it already has its tag, and the walk comes there by
// itself. It has no slot meanwhile. again is nil when the CMS need not be asked
// once more. The error is the ledger's, or *HeldError.
func (w *Worker) resolve(ctx context.Context, walk *ledger.Walk) (again *comeback, err error) {
	item := itemOf(walk.Label)
	r, ok := w.Renderer.(Resolver)
	if item == "" || !ok {
		return nil, nil
	}
	got, failed := w.askFor(ctx, r, item, walk.Priority == ledger.Critical)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := w.expectOthers(ctx, item, got); err != nil {
		return nil, err
	}
	if err := w.takeResolved(ctx, walk, got); err != nil {
		return nil, err
	}
	if failed != nil {
		return w.askAgain(walk, failed), nil
	}
	return w.askForNewer(ctx, walk, item, got.Version)
}

// askFor resolves the item within the time of a render.
func (w *Worker) askFor(ctx context.Context, r Resolver, item string, urgent bool) (got renderer.Resolved, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.cfg.Render, fmt.Errorf("%w, which is %s", errNotInTime, w.cfg.Render))
	defer cancel()
	err = storage.Contain(func() (err error) {
		got, err = r.Resolve(ctx, item, urgent)
		return err
	})
	if err != nil {
		err = causeOf(ctx, err)
	}
	return got, err
}

// askAgain says when a CMS that could not be asked for an item is asked again.
// One that fails is for as long as it does; one that answers with nonsense, or
// never in time, is given up, unless the item was triggered again since.
func (w *Worker) askAgain(walk *ledger.Walk, failed error) *comeback {
	wait := resolveWaits[min(walk.Attempts, len(resolveWaits)-1)]
	if temporary := new(storage.TemporaryError); errors.As(failed, &temporary) && !errors.Is(failed, errNotInTime) {
		if temporary.After > 0 {
			wait = min(temporary.After, mostRetryAfter)
		}
		return &comeback{wait, failed}
	}
	w.logPanic("label", string(walk.Label), failed)
	if walk.Attempts < mostNonsense {
		return &comeback{wait, failed}
	}
	w.Log.Error("item not resolved; only the pages that showed it before are rendered",
		"label", string(walk.Label), "attempt", walk.Attempts+1, "err", failed)
	givenUp := fmt.Sprintf("given up for trigger %d: ", walk.Number)
	if strings.HasPrefix(walk.Error, givenUp) {
		return nil // this was the last time
	}
	return &comeback{lastResolve, fmt.Errorf("%s%w", givenUp, failed)}
}

// endWalk ends a round of a walk. again is nil when it need not come back. more
// says that the next round begins now.
func (w *Worker) endWalk(ctx context.Context, walk *ledger.Walk, again *comeback) (more bool, err error) {
	if again == nil {
		more, err = walk.End(ctx)
		w.wake(ctx, walk.Token)
		return more, err
	}
	tok, err := walk.Later(ctx, again.in, again.reason.Error())
	if err != nil {
		return false, err
	}
	level := slog.LevelWarn
	if isLagging(again.reason) { // as some do after each edit
		level = slog.LevelInfo
	}
	w.Log.Log(ctx, level, "item is to be resolved again", "label", string(walk.Label), "attempt", walk.Attempts+1, "in", again.in, "err", again.reason)
	w.wake(ctx, tok)
	return false, nil
}
