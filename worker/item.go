package worker

import (
	"context"
	"errors"
	"fmt"
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
// itself. It has no slot meanwhile. again says why the CMS has to be asked once
// more; nil when it need not. The error is the ledger's, or *HeldError.
func (w *Worker) resolve(ctx context.Context, walk *ledger.Walk) (again, err error) {
	item := itemOf(walk.Label)
	r, ok := w.Renderer.(Resolver)
	if item == "" || !ok {
		return nil, nil
	}
	got, failed := w.askFor(ctx, r, item, walk.Priority == ledger.Critical)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := w.takeResolved(ctx, walk, got); err != nil {
		return nil, err
	}
	if temporary := new(storage.TemporaryError); failed == nil || errors.As(failed, &temporary) {
		return failed, nil
	}
	w.logPanic("item", item, failed)
	w.Log.Error("item not resolved; only the pages that showed it before are rendered", "item", item, "err", failed)
	return nil, nil
}

// askFor resolves the item within the time of a render.
func (w *Worker) askFor(ctx context.Context, r Resolver, item string, urgent bool) (got renderer.Resolved, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.cfg.Render, fmt.Errorf("not resolved within %s", w.cfg.Render))
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

// takeResolved triggers what an item was resolved to. When it returns without
// an error, everything is owed.
func (w *Worker) takeResolved(ctx context.Context, walk *ledger.Walk, got renderer.Resolved) error {
	bulk := ledger.Bulk{Number: walk.Number, Priority: walk.Priority, Reason: walk.Reason}
	var batch taking
	if err := w.takeAll(ctx, got.Paths, bulk, &batch); err != nil {
		return err
	}
	bulk.Index = walk.Label // with an index, what is no page is left alone
	if err := w.takeAll(ctx, got.Known, bulk, &batch); err != nil {
		return err
	}
	// Lists are shared by many items: their walks do for all that change
	// meanwhile, and nobody waits for a list as for the item's own page.
	req := ledger.Request{Priority: min(walk.Priority, ledger.Default), Reason: walk.Reason}
	for _, tag := range got.Tags {
		req := req
		if renderer.IsOwn(tag) {
			req.Priority = walk.Priority
		}
		if _, err := w.recordLabel(ctx, ledger.Tag(tag), time.Time{}, req); err != nil {
			return err
		}
	}
	return batch.wait()
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

// endWalk ends a round of a walk. again is why it has to come back, nil when it
// need not. more says that the next round begins now.
func (w *Worker) endWalk(ctx context.Context, walk *ledger.Walk, again error) (more bool, err error) {
	if again == nil {
		more, err = walk.End(ctx)
		w.wake(ctx, walk.Token)
		return more, err
	}
	wait := resolveWaits[min(walk.Attempts, len(resolveWaits)-1)]
	if temporary := new(storage.TemporaryError); errors.As(again, &temporary) && temporary.After > 0 {
		wait = min(temporary.After, mostRetryAfter)
	}
	tok, err := walk.Later(ctx, wait, again.Error())
	if err != nil {
		return false, err
	}
	w.Log.Warn("item not resolved, will retry", "label", string(walk.Label), "attempt", walk.Attempts+1, "in", wait, "err", again)
	w.wake(ctx, tok)
	return false, nil
}
