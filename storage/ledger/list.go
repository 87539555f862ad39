package ledger

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

const (
	// listBatch is how many pages are read at a time, and listScan the most
	// that one List looks at.
	listBatch = 500
	listScan  = 5000
	// oldestScan bounds how many owed pages Oldest looks at.
	oldestScan = 10_000
)

// Query says which pages to list.
type Query struct {
	// Label names them: Site, a tag or a prefix.
	Label Label
	// Below leaves out what is not under it; zero for nothing.
	Below storage.Path
	// State leaves out pages that are otherwise; empty for none.
	State Freshness
	// After is the last path that was seen; empty at the start.
	After string
	// Limit is the most pages to return.
	Limit int
}

// List returns pages in the order of their paths, and the path to go on
// after; "" at the end. It may return fewer than Limit, even none, before the
// end. Pages that were never published are only listed by the states stale,
// retrying and failed.
func (l *Ledger) List(ctx context.Context, q Query) (list []State, next string, err error) {
	others, err := l.unpublished(ctx, q)
	if err != nil {
		return nil, "", err
	}
	at := q.After
	for scanned := 0; scanned < listScan; {
		names, last, err := l.namesAfter(ctx, q, at)
		if err != nil {
			return nil, "", err
		}
		end := len(names) < listBatch
		n := len(others)
		if !end {
			n = sort.Search(n, func(i int) bool { return others[i] > last })
		}
		batch := append(names, others[:n]...)
		others = others[n:]
		slices.Sort(batch)
		batch = slices.Compact(batch)
		states, err := l.States(ctx, q.paths(batch))
		if err != nil {
			return nil, "", err
		}
		for _, s := range states {
			if !q.fits(s) {
				continue
			}
			list = append(list, s)
			if len(list) == q.Limit {
				return list, s.Path.String(), nil
			}
		}
		if end {
			return list, "", nil
		}
		at = last
		scanned += len(batch)
	}
	return list, at, nil
}

// paths are the names that the query is about.
func (q Query) paths(names []string) []storage.Path {
	var list []storage.Path
	for _, name := range names {
		if !q.Label.holds(name) || !q.Below.IsZero() && !Prefix(q.Below).holds(name) {
			continue
		}
		if p, err := parsePath(name); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// fits reports whether a page is one that is asked for.
func (q Query) fits(s State) bool {
	_, of := q.Label.split()
	return (q.State == "" || s.Freshness == q.State) &&
		(!q.Label.IsTag() || s.Page != nil && slices.Contains(s.Page.Tags, of))
}

// namesAfter reads the label's index behind a path. All pages that have failed
// are in a set of their own, so the index is not read for them.
func (l *Ledger) namesAfter(ctx context.Context, q Query, from string) (names []string, last string, err error) {
	if q.State == PageFailed {
		return nil, "", nil
	}
	index, low, high := q.Label.index()
	if from != "" {
		low = max(low, "["+from) // a cursor may stand before the label's first page
		if low == "["+from {
			low = "(" + from
		}
	}
	names, err = l.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{Key: l.key(index), ByLex: true, Start: low, Stop: high, Count: listBatch}).Result()
	if err != nil {
		return nil, "", storage.Temporary(fmt.Errorf("read pages of %s: %w", q.Label, err))
	}
	if len(names) > 0 {
		last = names[len(names)-1]
	}
	return names, last, nil
}

// unpublished returns the paths that may have the state and are perhaps in no
// index, sorted, behind the query's cursor.
func (l *Ledger) unpublished(ctx context.Context, q Query) ([]string, error) {
	var set string
	switch q.State {
	case PageFailed:
		set = "failed"
	case PageStale, PageRetrying:
		set = "dirty"
	default:
		return nil, nil
	}
	names, err := l.rdb.ZRange(ctx, l.key(set), 0, -1).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read %s pages: %w", q.State, err))
	}
	names = slices.DeleteFunc(names, func(s string) bool { return s <= q.After || s[0] != '/' || !q.Label.holds(s) })
	slices.Sort(names)
	return names, nil
}

// States reads many pages at once, as State reads one.
func (l *Ledger) States(ctx context.Context, paths []storage.Path) ([]State, error) {
	states := make([]State, 0, len(paths))
	for batch := range slices.Chunk(paths, listBatch) {
		pages, owed := make([]*redis.MapStringStringCmd, len(batch)), make([]*redis.MapStringStringCmd, len(batch))
		_, err := l.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, p := range batch {
				pages[i], owed[i] = pipe.HGetAll(ctx, l.key("page:"+p.String())), pipe.HGetAll(ctx, l.key("owed:"+p.String()))
			}
			return nil
		})
		if err != nil {
			return nil, storage.Temporary(fmt.Errorf("read page states: %w", err))
		}
		labels, err := l.labels(ctx)
		if err != nil {
			return nil, err
		}
		for i, p := range batch {
			s := newState(p, pages[i].Val(), owed[i].Val())
			if s.Page != nil && s.Owed == nil {
				for _, name := range labelsOf(p.String(), s.Page.Route, s.Page.Tags) {
					if labels[Label(name)].number > s.Page.G0 {
						s.Freshness, s.Label = PageStale, Label(name)
					}
				}
			}
			states = append(states, s)
		}
	}
	return states, nil
}

// labelled is the newest trigger of a label.
type labelled struct {
	number uint64
	at     time.Time
}

func (l *Ledger) labels(ctx context.Context) (map[Label]labelled, error) {
	all, err := l.rdb.HGetAll(ctx, l.key("label")).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read labels: %w", err))
	}
	labels := make(map[Label]labelled, len(all))
	for name, text := range all {
		number, at, _ := strings.Cut(text, " ")
		n, _ := strconv.ParseUint(number, 10, 64)
		stamp, _ := strconv.ParseInt(at, 10, 64)
		labels[Label(name)] = labelled{n, time.UnixMilli(stamp)}
	}
	return labels, nil
}

// Walks returns the labels that are being walked, or wait for it, sorted, and
// when each was triggered last.
func (l *Ledger) Walks(ctx context.Context) ([]Walking, error) {
	labels, err := l.labels(ctx)
	if err != nil || len(labels) == 0 {
		return nil, err
	}
	pipe := l.rdb.Pipeline()
	records := make(map[Label]*redis.SliceCmd, len(labels))
	for label := range labels {
		records[label] = pipe.HMGet(ctx, l.key("walk:"+string(label)), "st", "due", "att", "err")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, storage.Temporary(fmt.Errorf("read walks: %w", err))
	}
	var list []Walking
	for label, cmd := range records {
		r := reply(cmd.Val())
		if r.text(0) == "" {
			continue
		}
		w := Walking{Label: label, Since: labels[label].at, Attempts: int(r.number(2)), Error: r.text(3)}
		if r.text(0) != "running" && r.number(1) > 0 {
			w.Due = time.UnixMilli(r.number(1))
		}
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b Walking) int { return strings.Compare(string(a.Label), string(b.Label)) })
	return list, nil
}

// Walking is a label whose walk has not ended.
type Walking struct {
	Label Label     `json:"label"`
	Since time.Time `json:"since"` // of the newest trigger
	// Due is when it begins, or goes on; zero when it is under way.
	Due time.Time `json:"due,omitzero"`
	// Attempts and Error are those of Walk.
	Attempts int    `json:"attempts,omitzero"`
	Error    string `json:"error,omitzero"`
}

// Oldest returns since when the page has waited that has waited longest; zero
// when nothing is owed. Of very many it looks at those only that the sweeper
// looks at next.
func (l *Ledger) Oldest(ctx context.Context) (oldest time.Time, err error) {
	names, err := l.rdb.ZRange(ctx, l.key("dirty"), 0, oldestScan-1).Result()
	if err != nil {
		return oldest, storage.Temporary(fmt.Errorf("read owed pages: %w", err))
	}
	for batch := range slices.Chunk(names, listBatch) {
		pipe := l.rdb.Pipeline()
		var since []*redis.SliceCmd
		for _, name := range batch {
			if name[0] == '/' {
				since = append(since, pipe.HMGet(ctx, l.key("owed:"+name), "since"))
			}
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return oldest, storage.Temporary(fmt.Errorf("read owed pages: %w", err))
		}
		for _, cmd := range since {
			ms := reply(cmd.Val()).number(0)
			if at := time.UnixMilli(ms); ms > 0 && (oldest.IsZero() || at.Before(oldest)) {
				oldest = at
			}
		}
	}
	return oldest, nil
}
