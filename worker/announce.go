package worker

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// pageItem is what the ledger calls the page at a path among the items: a page
// that an announced item has, whether it was ever published or not.
func pageItem(p storage.Path) string { return "expected:" + p.String() }

// madeAt leads what the ledger calls, among the items, the time of an edit by
// which a page at a path, or with a label, has to be made: "made:/a",
// "made:item:category:4", "made:site".
const madeAt = "made:"

// mustBeMade are the names under which an edit may be announced that a page has
// to show.
func mustBeMade(page *storage.Page) (names []string) {
	names = append(names, madeAt+page.Path.String())
	for _, label := range ledger.LabelsOf(page.Path, page.Route, page.Tags) {
		names = append(names, madeAt+string(label))
	}
	return names
}

// tellsMade reports whether a page may say when it was made, as those of an
// origin do. What is rendered here is made now.
func (w *Worker) tellsMade() bool {
	r, ok := w.Renderer.(interface{ HasOrigins() bool })
	return ok && r.HasOrigins()
}

// announce tells the ledger what versions a trigger's items have now, and that
// they have its pages, before anything is rendered for it: a render that shows
// less than that, or was made before, is not published.
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
	// The clock of the CMS may be ahead. But no page could be made after a time
	// that is far away.
	if t.At.IsZero() && !t.Edited.IsZero() && time.Until(t.Edited) < w.cfg.Lag && w.tellsMade() {
		group.Go(func() error { return w.expectMade(ctx, t) })
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

// expectMade tells the ledger of an edit by which all pages of a trigger have to
// be made.
func (w *Worker) expectMade(ctx context.Context, t Trigger) error {
	var names []string
	for _, p := range slices.Concat(t.Paths, t.Known) {
		names = append(names, p.String())
	}
	for _, label := range t.Labels {
		names = append(names, string(label))
	}
	for _, i := range t.Items {
		names = append(names, string(ledger.Item(i.Tag)))
	}
	return w.announceMade(ctx, names, t.Edited.UTC().Format(time.RFC3339Nano))
}

func (w *Worker) announceMade(ctx context.Context, names []string, edited string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, name := range names {
		group.Go(func() error { return w.Ledger.Announce(ctx, madeAt+name, edited) })
	}
	return group.Wait()
}

// expectOthers passes on by when pages have to be made that an item was resolved
// to, if anything says that of the item.
func (w *Worker) expectOthers(ctx context.Context, item string, got renderer.Resolved) error {
	name := madeAt + string(ledger.Item(item))
	edits, err := w.Ledger.Announced(ctx, []string{name})
	if err != nil || edits[name].Version == "" {
		return err
	}
	var names []string
	for _, p := range slices.Concat(got.Paths, got.Known) {
		names = append(names, p.String())
	}
	for _, tag := range got.Tags {
		names = append(names, string(ledger.Tag(tag)))
	}
	return w.announceMade(ctx, names, edits[name].Version)
}
