package worker

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"rebake/renderer"
	"rebake/storage/ledger"
)

// auditEvery is how often everything is compared, whatever the counts say.
const auditEvery = 24 * time.Hour

// audit goes on with the comparison of everything in a collection, by the ids,
// whose order no edit changes.
func (p *poll) audit(ctx context.Context, c renderer.Collection) error {
	pl := p.place(c.Name())
	if pl.Page == 0 {
		return nil
	}
	remembered, err := p.remembered(ctx, c)
	if err != nil {
		return err
	}
	for asked := 0; c.Dated() || asked < p.limits.terms; asked++ {
		list, err := p.read(ctx, c, renderer.ByID, pl.Page)
		if err != nil {
			return err
		}
		if list.Total > ledger.MostSeen {
			p.tooMany(c, list.Total)
			return nil
		}
		if err := p.compare(ctx, c, list.Items); err != nil {
			return err
		}
		last := pl.Last
		for _, item := range list.Items {
			last = max(last, item.ID)
		}
		if list.End {
			last = math.MaxInt
		}
		from, _ := slices.BinarySearch(remembered, pl.Last+1)
		to, _ := slices.BinarySearch(remembered, last)
		if to < len(remembered) && remembered[to] == last {
			to++
		}
		if err := p.missing(ctx, c, remembered[from:to], list.Items); err != nil {
			return err
		}
		if list.End {
			return p.audited(ctx, c, list.Total)
		}
		pl.Page, pl.Last = pl.Page+1, last
		if err := p.mark(ctx, c); err != nil {
			return err
		}
		if err := p.rest(ctx); err != nil {
			return err
		}
	}
	return nil
}

// audited ends an audit. WordPress counts items that it does not show; what
// comes and goes meanwhile looks the same, so another number than the last is
// only believed when it is found twice.
func (p *poll) audited(ctx context.Context, c renderer.Collection, total int) error {
	pl := p.place(c.Name())
	if pl.Doubt {
		return p.doubted(ctx, c)
	}
	hidden := pl.Hidden
	if total >= 0 && c.Dated() {
		n, err := p.memory.count(ctx, c.Name())
		if err != nil {
			return err
		}
		hidden = total - n
	}
	again := hidden != pl.Hidden && hidden != 0 && !pl.Again
	*pl = place{Newest: pl.Newest, Audited: pl.Audited, Hidden: hidden, Again: again}
	if again {
		pl.Page = 1
		return p.audit(ctx, c)
	}
	pl.Audited = time.Now()
	return p.mark(ctx, c)
}

// remembered returns the ids of the items that are, sorted.
func (p *poll) remembered(ctx context.Context, c renderer.Collection) ([]int, error) {
	var ids []int
	err := p.memory.each(ctx, c.Name(), func(id string) {
		if n, err := strconv.Atoi(id); err == nil {
			ids = append(ids, n)
		}
	})
	slices.Sort(ids)
	return slices.Compact(ids), err
}
