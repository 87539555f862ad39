package worker

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"rebake/renderer"
	"rebake/storage/ledger"
)

const (
	// overlap is how much of what was seen before is looked at again: the
	// clocks of a CMS with several machines differ.
	overlap = 2 * time.Minute
	// modifiedForm is how WordPress writes a modified date, which is in UTC.
	modifiedForm = "2006-01-02T15:04:05"
)

// collections looks at every collection of a WordPress: first at what has
// changed last in each, with a request or two, and then, as far as the requests
// reach, at everything in those where that did not tell enough.
func (p *poll) collections(ctx context.Context) error {
	all, err := p.watch.Collections(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	p.report.Requests += 2
	if err := p.news(ctx, all); err != nil {
		return err
	}
	for _, c := range all {
		if !c.Dated() {
			continue
		}
		if err := p.try(ctx, c, p.audit); err != nil {
			return err
		}
	}
	if len(p.shut) == len(all) && p.failed == nil {
		return errNoAPI
	}
	return nil
}

var errNoAPI = errors.New("its REST API shows nothing to a stranger, so nobody knows what has changed there; open it for Rebake, or set reconcile: off")

func (p *poll) read(ctx context.Context, c renderer.Collection, o renderer.Order, page int) (renderer.Listing, error) {
	if err := p.ask(ctx); err != nil {
		return renderer.Listing{}, err
	}
	list, err := c.Read(ctx, o, page)
	if err != nil {
		return list, &answerError{err}
	}
	return list, nil
}

// mark keeps the place of a collection.
func (p *poll) mark(ctx context.Context, c renderer.Collection) error {
	return p.settle(ctx, c.Name(), Trigger{}, ledger.Memory{})
}

// recent looks at what has changed last, and decides whether everything has to
// be compared. A collection that has room in one answer is compared at once.
func (p *poll) recent(ctx context.Context, c renderer.Collection) error {
	pl := p.place(c.Name())
	if !c.Dated() {
		pl.Page = max(pl.Page, 1) // there is no other way
		return p.audit(ctx, c)
	}
	var told []int
	if !pl.first() && p.sole {
		var err error
		if told, err = p.memory.adopt(ctx, c.Name(), c.Kind()); err != nil {
			return err
		}
	}
	list, err := p.read(ctx, c, renderer.ByChange, 1)
	switch {
	case err != nil:
		return err
	case list.Total > ledger.MostSeen:
		p.tooMany(c, list.Total)
		return nil
	case list.End:
		return p.small(ctx, c, list)
	}
	if pl.Page > 0 {
		return p.compare(ctx, c, list.Items) // what else is new, the audit will see, or the next look after it
	}
	newest, total := newestOf("", list.Items), list.Total
	if err := p.since(ctx, c, list); err != nil {
		return err
	}
	if err := p.unlisted(ctx, c, told); err != nil {
		return err
	}
	if err := p.youngest(ctx, c); err != nil {
		return err
	}
	if newest != "" { // else their dates are still to come
		if newest < pl.Newest { // what changed last is not there: all may be from a backup
			pl.Page = 1
		}
		pl.Newest = newest
	}
	if err := p.count(ctx, c, total); err != nil {
		return err
	}
	return p.mark(ctx, c)
}

// unlisted asks for those items that were told of, and are not among what has
// changed last: they are not as they were told, or not there.
func (p *poll) unlisted(ctx context.Context, c renderer.Collection, told []int) error {
	var ids []string
	for _, id := range told {
		ids = append(ids, strconv.Itoa(id))
	}
	known, err := p.memory.versions(ctx, c.Name(), ids)
	if err != nil {
		return err
	}
	return p.lookFor(ctx, c, slices.DeleteFunc(told, func(id int) bool {
		seen, ok := known[strconv.Itoa(id)]
		return ok && seen != unsure && seen != unmet
	}))
}

// since goes on from the first answer until it comes to what was seen before.
// So much may have changed that everything has to be looked at: more than the
// requests reach, or more in one second than one answer holds, since the order
// of those is another each time.
//
// The CMS sorts by its local time. Where that is put back, and more is edited in
// the hour that comes twice than one answer holds, some of it may stay behind
// what was seen, until everything is compared.
func (p *poll) since(ctx context.Context, c renderer.Collection, list renderer.Listing) error {
	pl := p.place(c.Name())
	for page := 2; ; page++ {
		news := len(p.named)
		if err := p.compare(ctx, c, list.Items); err != nil {
			return err
		}
		if pl.first() || list.End || reaches(list.Items, pl.Newest, len(p.named) > news) {
			return nil
		}
		last := list.Items[len(list.Items)-1].Version
		var err error
		list, err = p.read(ctx, c, renderer.ByChange, page)
		if err != nil && !errors.Is(err, errSpent) {
			return err
		}
		if err != nil || len(list.Items) > 0 && list.Items[0].Version == last {
			pl.Page = 1
		}
		if err != nil {
			return nil
		}
	}
}

func (p *poll) tooMany(c renderer.Collection, total int) {
	p.note("%s: %d items are more than the %d that are compared", c.Name(), total, ledger.MostSeen)
}

// small compares a collection of which everything is in one answer.
func (p *poll) small(ctx context.Context, c renderer.Collection, list renderer.Listing) error {
	pl := p.place(c.Name())
	pl.Doubt = false
	if err := p.compare(ctx, c, list.Items); err != nil {
		return err
	}
	n, err := p.memory.count(ctx, c.Name())
	if err != nil {
		return err
	}
	if n != len(list.Items) {
		remembered, err := p.remembered(ctx, c)
		if err != nil {
			return err
		}
		if err := p.missing(ctx, c, remembered, list.Items); err != nil {
			return err
		}
	}
	if pl.Doubt {
		return p.doubted(ctx, c)
	}
	*pl = place{Newest: newestOf(pl.Newest, list.Items), Audited: time.Now()}
	return p.mark(ctx, c)
}

// doubted ends a comparison of everything that was not believed: the next poll
// begins another.
func (p *poll) doubted(ctx context.Context, c renderer.Collection) error {
	p.note("%s: most of it is missing; that is believed when the next poll finds it so, too", c.Name())
	pl := p.place(c.Name())
	*pl = place{Newest: pl.Newest, Audited: pl.Audited, Hidden: pl.Hidden, Empty: true}
	return p.mark(ctx, c)
}

// youngest looks at those that were published last: a scheduled post changes
// long before its time comes. The audit would see them, too.
func (p *poll) youngest(ctx context.Context, c renderer.Collection) error {
	if pl := p.place(c.Name()); pl.first() || pl.Page > 0 {
		return nil
	}
	list, err := p.read(ctx, c, renderer.ByDate, 1)
	if err != nil {
		return err
	}
	return p.compare(ctx, c, list.Items)
}

// count has everything compared when the CMS has another number of items than
// is remembered, or when that was done long ago, or by a clock that was wrong.
func (p *poll) count(ctx context.Context, c renderer.Collection, total int) error {
	pl := p.place(c.Name())
	due := pl.first() || p.full || time.Since(pl.Audited).Abs() > auditEvery || pl.Empty && total < 0
	if !due && total >= 0 {
		n, err := p.memory.count(ctx, c.Name())
		if err != nil {
			return err
		}
		due = total != n+pl.Hidden
	}
	if due {
		pl.Page = max(pl.Page, 1)
	} else {
		pl.Empty = false // it is all there again
	}
	return nil
}

// newestOf is the newest version of those that are not after now.
func newestOf(newest string, items []renderer.ListedItem) string {
	now := time.Now().UTC().Format(modifiedForm)
	for _, item := range items {
		if item.Version <= now { // their form sorts as they do
			newest = max(newest, item.Version)
		}
	}
	return newest
}

// reaches reports whether a list that is sorted by change comes down to what
// was seen before. news says that there was some in it.
func reaches(items []renderer.ListedItem, newest string, news bool) bool {
	seen, err := time.Parse(modifiedForm, newest)
	if err != nil || len(items) == 0 {
		return true
	}
	last := items[len(items)-1].Version
	return last < seen.Add(-overlap).Format(modifiedForm) || last <= newest && !news
}
