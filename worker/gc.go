package worker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rebake/storage"
	"rebake/storage/ledger"
)

const (
	// gcBatch is how many pages are looked at before the time is.
	gcBatch = 200
	// gcTime and gcItems are where one call leaves the rest to the next.
	gcTime  = 5 * time.Second
	gcItems = 1000
	// gcTags begins the cursors of the second half: first the pages, then the
	// indexes of tags.
	gcTags = "tags:"
)

// ErrCursor says that GC.After is none that a GCReport had.
var ErrCursor = errors.New("no cursor of a gc")

// GC says what a garbage collection is to do. It goes over the whole site in
// several calls.
type GC struct {
	// After is the Next of the call before; empty at the start.
	After string
	// DryRun looks, and changes nothing.
	DryRun bool
	// By says for people who asked.
	By string
}

// GCReport is what one call has found.
type GCReport struct {
	Items []GCItem
	// Next is where to go on; empty at the end.
	Next string
}

// GCKind is what an item of a garbage collection is.
type GCKind string

// The kinds of items.
const (
	GCPage    GCKind = "page"    // that no route matches
	GCSidecar GCKind = "sidecar" // that is not written any more
	GCFolder  GCKind = "folder"  // that is empty
	GCIndex   GCKind = "index"   // paths in an index that are no pages any more
	GCPoll    GCKind = "poll"    // what polls have seen of a source that is not there any more
)

// GCItem is something that nobody needs any more.
type GCItem struct {
	Kind GCKind `json:"kind"`
	// Name is a path, a name below the output directory, a label, or a source.
	Name string `json:"name"`
	Why  string `json:"why,omitzero"`
	// Count is how many paths of an index it is.
	Count int `json:"count,omitzero"`
	// Left says that it stays, and Why tells the reason.
	Left bool `json:"left,omitzero"`
}

// GC takes away what nobody needs any more: published pages that no route
// matches, in the way of Remove; sidecars that are not written any more; empty
// folders of removed pages; paths in the ledger's indexes whose tombstones have
// expired; what polls have seen of sources that are not polled any more. What
// Rebake did not write stays. The routes and the sources are those of this
// process. The error may be a *HeldError, ErrCursor, or the ledger's; what a
// page's files do not allow is in the report.
func (w *Worker) GC(ctx context.Context, g GC) (GCReport, error) {
	if !g.DryRun {
		if err := w.heldError(ctx); err != nil {
			return GCReport{}, err
		}
	}
	report := GCReport{Next: g.After}
	for until := time.Now().Add(gcTime); ; {
		items, next, err := w.gcStep(ctx, g, report.Next)
		report.Items = append(report.Items, items...)
		report.Next = next
		if err != nil || next == "" || len(report.Items) >= gcItems || time.Now().After(until) {
			return report, err
		}
	}
}

// gcStep looks at some pages, or at the indexes of some tags.
func (w *Worker) gcStep(ctx context.Context, g GC, after string) (items []GCItem, next string, err error) {
	if cursor, ok := strings.CutPrefix(after, gcTags); ok {
		return w.gcIndexes(ctx, g, cursor)
	}
	if after != "" && after[0] != '/' {
		return nil, "", ErrCursor
	}
	states, next, err := w.Ledger.List(ctx, ledger.Query{Label: ledger.Site, After: after, Limit: gcBatch})
	if err != nil {
		return nil, "", err
	}
	found := make([][]GCItem, len(states))
	var expired []storage.Path
	group, pages := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, s := range states {
		if s.Page == nil {
			expired = append(expired, s.Path)
			continue
		}
		group.Go(func() error {
			return storage.Contain(func() (err error) {
				found[i], err = w.gcPage(pages, g, s)
				return err
			})
		})
	}
	err = group.Wait()
	for _, list := range found {
		items = append(items, list...)
	}
	if err == nil {
		var n int
		if n, err = w.Ledger.Forget(ctx, ledger.Site, expired, g.DryRun); n > 0 {
			items = append(items, expiredItem(ledger.Site, n))
		}
	}
	if next == "" {
		next = gcTags + "0"
	}
	return items, next, err
}

func (w *Worker) gcIndexes(ctx context.Context, g GC, cursor string) (items []GCItem, next string, err error) {
	from, err := strconv.ParseUint(cursor, 10, 64)
	if err != nil {
		return nil, "", ErrCursor
	}
	list, to, err := w.Ledger.ForgetTagged(ctx, from, g.DryRun)
	for _, f := range list {
		items = append(items, expiredItem(f.Label, f.Paths))
	}
	if to != 0 {
		next = gcTags + strconv.FormatUint(to, 10)
	}
	if err == nil && next == "" {
		var polls []GCItem
		polls, err = w.gcPolls(ctx, g)
		items = append(items, polls...)
	}
	return items, next, err
}

// gcPolls comes last.
func (w *Worker) gcPolls(ctx context.Context, g GC) (items []GCItem, err error) {
	if _, ok := w.Renderer.(watcher); !ok {
		return nil, nil // it does not know
	}
	names, err := w.Ledger.ForgetPolls(ctx, w.Watches(), g.DryRun)
	for _, name := range names {
		items = append(items, GCItem{Kind: GCPoll, Name: name, Why: "no page is made from it any more"})
	}
	return items, err
}

func expiredItem(label ledger.Label, n int) GCItem {
	return GCItem{Kind: GCIndex, Name: string(label), Count: n, Why: "removed so long ago that it is forgotten"}
}

// gcPage looks at one page that the ledger knows.
func (w *Worker) gcPage(ctx context.Context, g GC, s ledger.State) ([]GCItem, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, ok := w.Renderer.Match(s.Path); !ok && !s.Page.Gone {
		return w.gcUnrouted(ctx, g, s)
	}
	list, err := w.Output.Tidy(ctx, s.Path, published(s), g.DryRun)
	if err != nil {
		return []GCItem{{Kind: GCSidecar, Name: s.Path.String(), Why: err.Error(), Left: true}}, nil
	}
	var items []GCItem
	for _, l := range list {
		kind := GCSidecar
		if strings.HasSuffix(l.Name, "/") {
			kind = GCFolder
		}
		items = append(items, GCItem{Kind: kind, Name: l.Name, Why: l.Why})
	}
	return items, nil
}

// gcUnrouted removes a page that no route matches. A file that is not what was
// published is somebody's who has taken the page's place.
func (w *Worker) gcUnrouted(ctx context.Context, g GC, s ledger.State) ([]GCItem, error) {
	item := GCItem{Kind: GCPage, Name: s.Path.String(), Why: "no route matches it"}
	left := w.unaltered(s.Path, published(s))
	if left == nil && !g.DryRun {
		// A removal that has begun comes to its end, also when the caller goes away.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*bookkeeping)
		defer cancel()
		run, err := w.seizeUnrouted(ctx, s.Path, "gc by "+g.By+": "+item.Why)
		if err != nil || run == nil {
			return nil, err
		}
		left = w.removeSeized(ctx, run, func(ctx context.Context, exists bool) error {
			if err := w.unaltered(run.Path, run.Previous); err != nil {
				return err
			}
			return run.Fence(ctx, exists)
		})
	}
	switch {
	case errors.Is(left, storage.ErrForeign):
		item.Why, item.Left = "its file is not what was published; move it away, or `rebake remove` the page", true
	case left != nil:
		item.Why, item.Left = left.Error(), true
	}
	return []GCItem{item}, nil
}

// seizeUnrouted seizes a page to remove it; nil when a route matches it by now.
// Triggers that come later find the page seized, and bring it back.
func (w *Worker) seizeUnrouted(ctx context.Context, p storage.Path, reason string) (*ledger.Run, error) {
	run, err := w.Ledger.Seize(ctx, p, reason)
	if err != nil {
		return nil, err
	}
	if _, ok := w.Renderer.Match(p); ok {
		return nil, run.Release(ctx)
	}
	return run, nil
}

// unaltered returns storage.ErrForeign when a page's file is not what was
// published.
func (w *Worker) unaltered(p storage.Path, prev storage.Published) error {
	altered, err := w.Output.Altered(p, prev)
	if err == nil && altered {
		err = fmt.Errorf("%s: %w", p, storage.ErrForeign)
	}
	return err
}

func published(s ledger.State) storage.Published {
	return storage.Published{Hash: s.Page.Hash, Type: s.Page.Type, MTime: s.Page.MTime, Gone: s.Page.Gone}
}
