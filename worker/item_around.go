package worker

import (
	"context"
	"slices"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// takeAround triggers what changes when the item of a walk goes from pages that
// show it, and that the CMS does not know any more: the other parts of the
// archives that these are parts of. It has to come before their renders, which
// forget what they were. Tags in done were triggered by the same walk.
//
// It returns the pages that list the item among others: who waits for the item
// does not wait for them.
func (w *Worker) takeAround(ctx context.Context, walk *ledger.Walk, paths []storage.Path, done map[string]bool) (lists map[storage.Path]bool, err error) {
	item := itemOf(walk.Label)
	if item == "" {
		return nil, nil
	}
	states, err := w.Ledger.States(ctx, paths)
	if err != nil {
		return nil, err
	}
	lists = map[storage.Path]bool{}
	for _, s := range states {
		if s.Page == nil {
			continue
		}
		of := renderer.ItemOf(s.Page.Tags)
		lists[s.Path] = of != item && (of != "" || slices.ContainsFunc(s.Page.Tags, renderer.IsList))
		for _, tag := range renderer.Around(s.Path, s.Page.Tags, item) {
			if done[tag] {
				continue
			}
			done[tag] = true
			if _, err := w.recordLabel(ctx, ledger.Tag(tag), time.Time{}, ofLists(walk)); err != nil {
				return nil, err
			}
		}
	}
	return lists, nil
}
