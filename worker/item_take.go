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

// ofLists asks for the lists that the item of a walk is in.
func ofLists(walk *ledger.Walk) ledger.Request {
	return ledger.Request{
		Priority: min(walk.Priority, ledger.Default), Reason: walk.Reason, OnlyPublished: true, Settle: listSettle, MaxWait: listMaxWait,
	}
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
	if walk.Attempts == 0 { // else they may have met its number while the CMS was behind
		var err error
		if known, err = w.unmet(ctx, walk.Number, known); err != nil {
			return err
		}
	}
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

// unmet returns those of the paths that are pages, and do not show yet what was
// triggered with a number.
func (w *Worker) unmet(ctx context.Context, number uint64, paths []storage.Path) (left []storage.Path, err error) {
	states, err := w.Ledger.States(ctx, paths)
	if err != nil {
		return nil, err
	}
	for _, s := range states {
		if s.Page != nil && s.Page.G0 < number {
			left = append(left, s.Path)
		}
	}
	return left, nil
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
