package api

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// mostMatched bounds the pages that one trigger may touch one by one.
const mostMatched = 10_000

// selection is a request that was understood.
type selection struct {
	worker.Trigger
	globs  []glob
	failed bool
	wait   time.Duration
	at     time.Time // zero for now
}

// selection checks everything before anything is done.
func (a *API) selection(body CreateTrigger) (sel selection, err error) {
	sel.Reason, sel.failed, sel.OnlyPublished = a.words(body.Reason, 200), body.Failed, body.OnlyGenerated
	if sel.wait, err = parseWait(body.Wait, a.cfg.MaxWait); err != nil {
		return sel, err
	}
	if sel.at, err = when(body.At, body.After, time.Now()); err != nil {
		return sel, err
	}
	switch {
	case body.All:
		sel.Priority = ledger.Low
	case body.Failed || len(body.Globs) > 0:
		sel.Priority = ledger.Default
	default:
		sel.Priority = ledger.Critical
	}
	if body.Priority != "" {
		if sel.Priority, err = ledger.ParsePriority(body.Priority); err != nil {
			return sel, bad("bad_priority", err.Error())
		}
	}
	for _, s := range body.Paths {
		if err := a.noPage(s); err != nil {
			return sel, err
		}
	}
	if sel.Paths, err = a.paths(input{paths: body.Paths}); err != nil {
		return sel, err
	}
	if slices.Contains(body.Tags, "") {
		return sel, bad("bad_tag", "a tag is empty")
	}
	if sel.Labels, err = a.labels(input{tags: body.Tags, prefixes: body.Prefixes}); err != nil {
		return sel, err
	}
	if body.All {
		sel.Labels = []ledger.Label{ledger.Site} // which holds all others
	}
	if len(body.Globs) > a.cfg.MaxPaths {
		return sel, bad("too_many", fmt.Sprintf("%d globs; at most %d in one request", len(body.Globs), a.cfg.MaxPaths))
	}
	for _, text := range body.Globs {
		g, err := a.parseGlob(text)
		if err != nil {
			return sel, err
		}
		sel.globs = append(sel.globs, g)
	}
	if len(sel.Paths)+len(sel.Labels)+len(sel.globs) == 0 && !sel.failed {
		return sel, errNothingNamed
	}
	return sel, nil
}

var errTooManyMatched = bad("too_many", fmt.Sprintf("more than %d pages match; name a prefix, a tag, or all", mostMatched))

// matched returns the pages that the globs match, and those that have failed,
// each once and not when it is named.
func (a *API) matched(ctx context.Context, sel selection) ([]storage.Path, error) {
	seen := make(map[storage.Path]bool)
	for _, p := range sel.Paths {
		seen[p] = true
	}
	var list []storage.Path
	add := func(p storage.Path) error {
		if !seen[p] {
			seen[p] = true
			list = append(list, p)
		}
		if len(list) > mostMatched {
			return errTooManyMatched
		}
		return nil
	}
	for _, g := range sel.globs {
		err := a.state.EachPage(ctx, g.index, func(p storage.Path) error {
			if g.match.MatchString(p.String()) {
				return add(p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if sel.failed {
		if err := a.state.EachFailed(ctx, func(s ledger.State) error { return add(s.Path) }); err != nil {
			return nil, err
		}
	}
	return list, nil
}
