package worker

import (
	"context"
	"slices"
	"strconv"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// change is an item that is not as it is remembered.
type change struct {
	renderer.ListedItem
	tag  string
	what string
}

// The kinds of what is Found.
const (
	foundNew     = "new"
	foundChanged = "changed"
	foundGone    = "gone"
)

// compare finds the items that are not as they are remembered, triggers those
// of which nobody has told, and remembers them all.
func (p *poll) compare(ctx context.Context, c renderer.Collection, items []renderer.ListedItem) error {
	p.report.Compared += len(items)
	var ids []string
	for _, item := range items {
		ids = append(ids, strconv.Itoa(item.ID))
	}
	known, err := p.memory.versions(ctx, c.Name(), ids)
	if err != nil {
		return err
	}
	var changed, unknown []change
	memory := ledger.Memory{Versions: make(map[string]string)}
	for i, item := range items {
		switch version, was := known[ids[i]]; {
		case !was || version == unmet:
			unknown = append(unknown, change{item, c.Tag(item.ID), foundNew})
		case version != item.Version:
			changed = append(changed, change{item, c.Tag(item.ID), foundChanged})
		default:
			continue
		}
		memory.Versions[ids[i]] = item.Version
	}
	if len(memory.Versions) == 0 {
		return nil
	}
	if p.place(c.Name()).first() {
		if unknown, err = p.unshown(ctx, c, unknown); err != nil {
			return err
		}
	}
	if changed, err = p.untold(ctx, c, append(changed, unknown...)); err != nil {
		return err
	}
	return p.settle(ctx, c.Name(), p.tell(c, changed), memory)
}

// unshown is for when nothing is remembered yet: it leaves the items that are
// newer than the pages which show them, or nearly so, since the CMS has another
// clock. One that no page shows should be in a list that was made since.
func (p *poll) unshown(ctx context.Context, c renderer.Collection, all []change) ([]change, error) {
	if !c.Dated() || len(all) == 0 {
		return nil, nil
	}
	list := "list:" + p.watch.Name() + "/" + c.Name()
	tags := []string{list}
	for _, one := range all {
		tags = append(tags, one.tag)
	}
	since, err := p.Ledger.ShownSince(ctx, tags)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(one change) bool {
		made, ok := since[one.tag]
		if !ok {
			made, ok = since[list]
		}
		modified, err := time.Parse(modifiedForm, one.Version)
		return !ok || err != nil || modified.Before(made.Add(-overlap))
	}), nil
}

// untold leaves the items that were not told of as they are now, and the new
// ones that were, and that no public page shows: the CMS may have been behind
// when it told. One may be older than was told, when a backup was put in the
// place of all: once nobody waits any more for the CMS to show what was told,
// that counts no more.
func (p *poll) untold(ctx context.Context, c renderer.Collection, all []change) ([]change, error) {
	all = slices.DeleteFunc(all, func(one change) bool { return p.named[one.tag] })
	if !c.Dated() || len(all) == 0 {
		return all, nil
	}
	var tags []string
	for _, one := range all {
		tags = append(tags, one.tag)
	}
	told, err := p.Ledger.Told(ctx, tags)
	if err != nil {
		return nil, err
	}
	shown, err := p.Ledger.ShownSince(ctx, tags)
	if err != nil {
		return nil, err
	}
	var left []change
	for _, one := range all {
		was := told[one.tag]
		order, known := storage.CompareVersions(was.Version, one.Version)
		_, public := shown[one.tag]
		if known && order == 0 && (public || one.what != foundNew || c.Kind() == "media") { // a file needs no page
			continue
		}
		if known && order > 0 && was.Age > p.cfg.Lag && p.sole && !p.memory.dry {
			if err := p.Ledger.Withdraw(ctx, one.tag, was, one.Version); err != nil {
				return nil, err
			}
		}
		left = append(left, one)
	}
	return left, nil
}

// missing looks after the remembered items that are not among those that a list
// has, where they should be: the list may have moved while it was read. That
// most are missing at once is believed the second time only: a CMS whose
// database is away, or that hides them for a moment, looks the same.
func (p *poll) missing(ctx context.Context, c renderer.Collection, remembered []int, items []renderer.ListedItem) error {
	there := make(map[int]bool, len(items))
	for _, item := range items {
		there[item.ID] = true
	}
	var missing []int
	for _, id := range remembered {
		if !there[id] {
			missing = append(missing, id)
		}
	}
	if pl := p.place(c.Name()); !pl.Empty && isMost(len(missing), len(remembered)) {
		pl.Doubt = true
		return nil
	}
	return p.lookFor(ctx, c, missing)
}

// lookFor asks for items by their ids, and finds those that have changed, or are
// gone.
func (p *poll) lookFor(ctx context.Context, c renderer.Collection, ids []int) error {
	for some := range slices.Chunk(ids, renderer.MostOnly) {
		if err := p.ask(ctx); err != nil {
			return err
		}
		still, err := c.Only(ctx, some)
		if err != nil {
			return &answerError{err}
		}
		if err := p.compare(ctx, c, still); err != nil {
			return err
		}
		gone := slices.DeleteFunc(some, func(id int) bool {
			return slices.ContainsFunc(still, func(item renderer.ListedItem) bool { return item.ID == id })
		})
		if err := p.gone(ctx, c, gone); err != nil {
			return err
		}
	}
	return nil
}

// doubtMissing is how many must be missing at once for that to be believed only
// when it is found twice.
const doubtMissing = 10

// isMost reports whether so much of all is missing that it may be the CMS that
// fails.
func isMost(missing, all int) bool { return missing > doubtMissing && 2*missing > all }

// gone triggers items that are not there any more, and forgets them. One that
// no public page shows needs nothing.
func (p *poll) gone(ctx context.Context, c renderer.Collection, ids []int) error {
	if len(ids) == 0 {
		return nil
	}
	var memory ledger.Memory
	var all []change
	var tags []string
	for _, id := range ids {
		one := change{renderer.ListedItem{ID: id}, c.Tag(id), foundGone}
		memory.Gone = append(memory.Gone, strconv.Itoa(id))
		if p.sole {
			memory.Unannounced = append(memory.Unannounced, c.Tag(id)) // nobody will show it
		}
		all, tags = append(all, one), append(tags, one.tag)
	}
	since, err := p.Ledger.ShownSince(ctx, tags)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(one change) bool {
		_, shown := since[one.tag]
		return !shown
	})
	return p.settle(ctx, c.Name(), p.tell(c, all), memory)
}

// tell counts changes, and returns what to trigger for them. Where no version
// tells an old page from a new one, as in the lists that a new item is to come
// into, there is a second look.
func (p *poll) tell(c renderer.Collection, all []change) Trigger {
	var t Trigger
	for _, one := range all {
		item := Item{Tag: one.tag}
		if c.Dated() {
			item.Version = one.Version
		}
		t.Items = append(t.Items, item)
		t.Recheck = t.Recheck || item.Version == "" || one.what == foundNew
		p.named[one.tag] = true
		p.found(Found{Item: one.tag, Version: item.Version, What: one.what})
	}
	return t
}
