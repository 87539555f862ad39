package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

// lagWaits are the waits after the first renders that show something older
// than was announced; the last one holds from then on.
var lagWaits = []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

// tryOn is when a page is looked at again that was published although its CMS
// is behind, and that is still waited for.
const tryOn = 2 * time.Second

// patience is how long a page is kept back that shows something newer than the
// public one, though not the newest: an eighth of what a page may wait, which is
// 15 s.
func (w *Worker) patience() time.Duration { return w.cfg.Lag / 8 }

// laggingError says that a CMS does not show yet what it has announced.
type laggingError struct {
	reason string
	newest ledger.Announced // of those that are waited for
}

func (e *laggingError) Error() string { return e.reason }

// mayPublish checks what a render shows against what was announced of it. What
// is older is a *storage.TemporaryError for as long as Config.Lag, and is then
// noted in page.Lagging. Items that the page does not show are not asked for.
//
// An older page that shows more than the public one is published sooner, after
// patience, and still waited for: the newest of an item that is edited all the
// time may never show.
func (w *Worker) mayPublish(ctx context.Context, run *ledger.Run, page *storage.Page) error {
	var shown map[string]string
	var announced map[string]ledger.Announced
	if run.Announced { // else it need not be known by what names
		shown = shownBy(page)
		var err error
		if announced, err = w.Ledger.Announced(ctx, slices.Sorted(maps.Keys(shown))); err != nil {
			return err
		}
	}
	page.Shown = toCompare(page, announced)
	lag := older(shown, announced)
	if lag == nil {
		return nil
	}
	if run.Fresh.After(lag.newest.At) || showsLess(page.Shown, run.Shown) {
		lag.newest.Age = 0 // it is older than the public page, however long ago the announcement was
	}
	if err := w.awaitCMS(lag, run.Waited, run.Attempts); err != nil {
		if run.Waited < w.patience() || !showsMore(shown, run.Shown, announced) {
			return err
		}
		page.LookAgain = tryOn
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
		if lag == nil || a.Age < lag.newest.Age {
			lag = &laggingError{waitsFor(item, a.Version, shown[item]), a}
		}
	}
	return lag
}

func waitsFor(item, announced, shown string) string {
	if strings.HasPrefix(item, madeAt) {
		return fmt.Sprintf("waits for the CMS to make the page anew, after an edit of %s (shows one made %s)", announced, shown)
	}
	return fmt.Sprintf("waits for the CMS to show version %s of %s (shows %s)", announced, item, shown)
}

// mayBeGone decides about a render that found no page. One that is not public is
// waited for as long as Config.Lag when an item has it that was announced since
// somebody looked: the CMS may not show it yet.
func (w *Worker) mayBeGone(ctx context.Context, run *ledger.Run, gone error) error {
	if !run.Announced || run.Previous.Hash != "" || !until(gone).IsZero() {
		return gone
	}
	name := pageItem(run.Path)
	announced, err := w.Ledger.Announced(ctx, []string{name})
	if err != nil {
		return err
	}
	if a, ok := announced[name]; ok && !(run.Previous.Gone && run.Fresh.After(a.At)) {
		lag := &laggingError{fmt.Sprintf("waits for the CMS to show the page, which it has told of (%v)", gone), a}
		if err := w.awaitCMS(lag, run.Waited, run.Attempts); err != nil {
			return err
		}
	}
	return gone
}

// askForNewer says when the CMS is asked again for an item of which it tells an
// older version than was announced: what it was resolved to is where it was. The
// same is for one that it does not know and that no page has ever shown: it may
// be new. It is nil when that is not so, or has lasted longer than Config.Lag.
func (w *Worker) askForNewer(ctx context.Context, walk *ledger.Walk, item, version string) (*comeback, error) {
	announced, err := w.Ledger.Announced(ctx, []string{item})
	if err != nil {
		return nil, err
	}
	a, is := announced[item]
	if !is {
		return nil, nil
	}
	lag := older(map[string]string{item: version}, announced)
	if version == "" {
		pages, err := w.Ledger.Pages(ctx, walk.Label)
		if err != nil || pages > 0 {
			return nil, err
		}
		lag = &laggingError{fmt.Sprintf("waits for the CMS to show %s, of which it has told", item), a}
	}
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
	left := w.cfg.Lag - max(lag.newest.Age, waited)
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
