package worker

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// listSettle and listMaxWait are how long lists wait until no more items change:
// many that are saved at once are often in the same ones. Nobody waits for a
// list as for the item's own page.
const (
	listSettle  = 300 * time.Millisecond
	listMaxWait = 3 * time.Second
)

// ofLists asks for the lists that the item of a walk is in. A list that somebody
// has rendered since the item was triggered needs no second render, but when the
// CMS was behind meanwhile.
func ofLists(walk *ledger.Walk) ledger.Request {
	req := ledger.Request{
		Priority: min(walk.Priority, ledger.Default), Reason: walk.Reason, OnlyPublished: true, Settle: listSettle, MaxWait: listMaxWait,
	}
	if walk.Attempts == 0 {
		req.PartOf = walk.Number
	}
	return req
}

// takeLater triggers a list that shows the item of a walk, with what else changes
// in it in this moment. Each such page costs a token, so it is not for a walk
// that has thousands.
func (w *Worker) takeLater(ctx context.Context, walk *ledger.Walk, p storage.Path) error {
	req := ofLists(walk)
	req.PartOf = walk.Number // an older version of the item would not have been published
	_, err := w.recordPage(ctx, p, time.Time{}, req)
	return err
}

// takeResolved triggers what an item was resolved to. When it returns without
// an error, everything is owed.
func (w *Worker) takeResolved(ctx context.Context, walk *ledger.Walk, got renderer.Resolved) error {
	bulk := ledger.Bulk{Number: walk.Number, Priority: walk.Priority, Reason: walk.Reason}
	var batch taking
	if err := w.takeAll(ctx, got.Paths, bulk, &batch); err != nil {
		return err
	}
	if err := w.askForOthers(ctx, walk, got); err != nil {
		return err
	}
	return batch.wait()
}

// askForOthers triggers the pages that the item belongs to, and does not make.
// They are shared by many items, so they settle: one render does for all that
// change meanwhile.
func (w *Worker) askForOthers(ctx context.Context, walk *ledger.Walk, got renderer.Resolved) error {
	known, _ := w.matched(got.Known)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, p := range known {
		group.Go(func() error {
			_, err := w.recordPage(ctx, p, time.Time{}, ofLists(walk))
			return err
		})
	}
	for _, tag := range got.Tags {
		req := ofLists(walk)
		if renderer.IsOwn(tag) {
			req.Priority, req.Settle, req.MaxWait = walk.Priority, 0, 0
		}
		group.Go(func() error {
			_, err := w.recordLabel(ctx, ledger.Tag(tag), time.Time{}, req)
			return err
		})
	}
	return group.Wait()
}

// takeAll takes those of the paths that a route has.
func (w *Worker) takeAll(ctx context.Context, paths []storage.Path, bulk ledger.Bulk, batch *taking) error {
	for _, p := range paths {
		m, ok := w.Renderer.Match(p)
		if !ok {
			continue
		}
		if err := w.take(ctx, m, bulk, batch.begin(), func(*ledger.Run, error) {}); err != nil {
			return err
		}
	}
	return nil
}
