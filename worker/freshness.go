package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rebake/storage"
	"rebake/storage/ledger"
)

// lagWaits are the waits after the first renders that show something older
// than was announced; the last one holds from then on.
var lagWaits = []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

// laggingError says that a CMS does not show yet what it has announced.
type laggingError struct {
	reason string
	age    time.Duration // of the newest announcement of those that are waited for
}

func (e *laggingError) Error() string { return e.reason }

// pageItem is what the ledger calls the page at a path among the items: a page
// that an announced item has, whether it was ever published or not.
func pageItem(p storage.Path) string { return "expected:" + p.String() }

// announce tells the ledger what versions a trigger's items have now, and that
// they have its pages, before anything is rendered for it: a render that shows
// less than that is not published.
func (w *Worker) announce(ctx context.Context, t Trigger) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	announced := false
	for _, i := range t.Items {
		if i.Version != "" {
			announced = true
			group.Go(func() error { return w.Ledger.Announce(ctx, i.Tag, i.Version) })
		}
	}
	if announced && t.At.IsZero() {
		group.Go(func() error { return w.expect(ctx, t.Paths) })
	}
	return group.Wait()
}

// expect tells the ledger that there are these pages now.
func (w *Worker) expect(ctx context.Context, paths []storage.Path) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for _, p := range paths {
		group.Go(func() error { return w.Ledger.Announce(ctx, pageItem(p), now) })
	}
	return group.Wait()
}

// mayPublish checks what a render shows against what was announced of it. What
// is older is a *storage.TemporaryError for as long as Config.Lag, and is then
// noted in page.Lagging. Items that the page does not show are not asked for.
func (w *Worker) mayPublish(ctx context.Context, run *ledger.Run, page *storage.Page) error {
	if !run.Announced || len(page.Versions) == 0 {
		return nil
	}
	announced, err := w.Ledger.Announced(ctx, slices.Sorted(maps.Keys(page.Versions)))
	if err != nil {
		return err
	}
	lag := older(page.Versions, announced)
	if lag == nil {
		return nil
	}
	if err := w.awaitCMS(lag, run.Waited, run.Attempts); err != nil {
		return err
	}
	page.Lagging = lag.reason
	return nil
}

// older returns what a page shows an older version of than was announced, nil
// when that is nothing.
func older(shown map[string]string, announced map[string]ledger.Announced) *laggingError {
	var lag *laggingError
	for _, item := range slices.Sorted(maps.Keys(announced)) {
		a := announced[item]
		if order, ok := storage.CompareVersions(shown[item], a.Version); !ok || order >= 0 {
			continue
		}
		if lag == nil || a.Age < lag.age {
			lag = &laggingError{age: a.Age, reason: fmt.Sprintf(
				"waits for the CMS to show version %s of %s (shows %s)", a.Version, item, shown[item])}
		}
	}
	return lag
}

// mayBeGone decides about a render that found no page. One that was never
// published is waited for as long as Config.Lag when an announced item has it:
// the CMS may not show it yet.
func (w *Worker) mayBeGone(ctx context.Context, run *ledger.Run, gone error) error {
	if p := run.Previous; !run.Announced || p.Hash != "" || p.Gone || !until(gone).IsZero() {
		return gone
	}
	name := pageItem(run.Path)
	announced, err := w.Ledger.Announced(ctx, []string{name})
	if err != nil {
		return err
	}
	if a, ok := announced[name]; ok {
		lag := &laggingError{age: a.Age, reason: fmt.Sprintf("waits for the CMS to show the page, which it has told of (%v)", gone)}
		if err := w.awaitCMS(lag, run.Waited, run.Attempts); err != nil {
			return err
		}
	}
	return gone
}

// askForNewer says when the CMS is asked again for an item of which it tells an
// older version than was announced: what it was resolved to is where it was. It
// is nil when that is not so, or has lasted longer than Config.Lag.
func (w *Worker) askForNewer(ctx context.Context, walk *ledger.Walk, item, version string) (*comeback, error) {
	if version == "" {
		return nil, nil
	}
	announced, err := w.Ledger.Announced(ctx, []string{item})
	if err != nil {
		return nil, err
	}
	lag := older(map[string]string{item: version}, announced)
	if lag == nil {
		return nil, nil
	}
	if again := new(storage.TemporaryError); errors.As(w.awaitCMS(lag, 0, walk.Attempts), &again) {
		return &comeback{again.After, again}, nil
	}
	w.Log.Warn("the pages of an item are those of an older version", "label", string(walk.Label), "err", lag)
	return nil, nil
}

// awaitCMS returns the error of one that waits for the CMS, and has done so for
// some time and in some tries; nil when that is enough.
func (w *Worker) awaitCMS(lag *laggingError, waited time.Duration, tries int) error {
	// On a page that shows many items there may always be one of which
	// something newer was announced in this moment.
	left := w.cfg.Lag - max(lag.age, waited)
	if left <= 0 {
		return nil
	}
	wait := lagWaits[min(tries, len(lagWaits)-1)]
	return &storage.TemporaryError{Err: lag, After: max(min(wait, left), 10*time.Millisecond)}
}

// isLagging reports whether a run has ended because the CMS does not show yet
// what it has announced.
func isLagging(err error) bool {
	lag := new(laggingError)
	return errors.As(err, &lag)
}
