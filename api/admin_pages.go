package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rebake/storage/ledger"
)

// PageRow is one page in a list.
type PageRow struct {
	Path      string           `json:"path"`
	Freshness ledger.Freshness `json:"freshness"`
	Changed   time.Time        `json:"changed,omitzero"` // last time that other bytes were published, or it was removed
	Size      int64            `json:"size,omitzero"`
	Route     string           `json:"route,omitzero"`
	Label     ledger.Label     `json:"label,omitzero"` // that makes it stale
	Error     string           `json:"error,omitzero"` // of the last failed try
	// Lagging says what the page shows an older version of than its CMS has
	// told of.
	Lagging  string    `json:"lagging,omitzero"`
	Settling time.Time `json:"settling,omitzero"` // until when it is left alone
}

func newPageRow(s ledger.State) PageRow {
	row := PageRow{Path: s.Path.String(), Freshness: s.Freshness, Label: s.Label}
	if s.Page != nil {
		row.Changed, row.Size, row.Route = s.Page.Changed, s.Page.Size, s.Page.Route
		row.Lagging = s.Page.Lagging
	}
	if s.Owed != nil {
		row.Error, row.Settling = s.Owed.Error, s.Owed.Settling
	}
	return row
}

// PageList is the answer of GET /v1/pages.
type PageList struct {
	Pages []PageRow `json:"pages"`
	// Next is the `after` of the next request; empty at the end. There may be
	// more although Pages is short.
	Next string `json:"next,omitempty"`
}

const (
	pagesLimit     = 100
	mostPagesLimit = 1000
)

// pageLagging is not how a page is: a lagging one is fresh, stale or what else.
// But pages can be listed by it.
const pageLagging ledger.Freshness = "lagging"

// states are those that pages can be listed by.
var states = []ledger.Freshness{ledger.PageFresh, ledger.PageStale, ledger.PageRetrying, ledger.PageFailed, ledger.PageGone, pageLagging}

func (a *API) listPages(w http.ResponseWriter, r *http.Request) {
	q, err := a.pagesQuery(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	read := a.state.List
	if q.State == pageLagging {
		read = a.listLagging
	}
	list, next, err := read(r.Context(), q)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	res := PageList{Pages: []PageRow{}, Next: next}
	for _, s := range list {
		res.Pages = append(res.Pages, newPageRow(s))
	}
	answer(w, http.StatusOK, res)
}

// listLagging is ledger.Ledger.List for the lagging pages.
func (a *API) listLagging(ctx context.Context, q ledger.Query) (list []ledger.State, next string, err error) {
	tag, tagged := strings.CutPrefix(string(q.Label), string(ledger.Tag("")))
	below := strings.TrimSuffix(q.Below.String(), "/") + "/"
	err = a.state.EachLagging(ctx, func(s ledger.State) error {
		path := s.Path.String()
		if path > q.After && (q.Below.IsZero() || strings.HasPrefix(path+"/", below)) && (!tagged || slices.Contains(s.Page.Tags, tag)) {
			list = append(list, s)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b ledger.State) int { return strings.Compare(a.Path.String(), b.Path.String()) })
	if len(list) > q.Limit {
		list = list[:q.Limit]
		next = list[q.Limit-1].Path.String()
	}
	return list, next, err
}

func (a *API) pagesQuery(r *http.Request) (ledger.Query, error) {
	q := ledger.Query{Label: ledger.Site, Limit: pagesLimit}
	query, err := parseQuery(r)
	if err != nil {
		return q, err
	}
	if prefix := query.Get("prefix"); prefix != "" {
		if q.Below, err = a.cfg.Rules.Parse(prefix); err != nil {
			return q, err
		}
		q.Label = ledger.Prefix(q.Below)
	}
	if tag := query.Get("tag"); tag != "" {
		q.Label = ledger.Tag(tag)
	}
	if s := query.Get("state"); s != "" {
		if q.State = ledger.Freshness(s); !slices.Contains(states, q.State) {
			return q, bad("bad_state", fmt.Sprintf("state=%.40q: use fresh, stale, retrying, failed, gone or lagging", s))
		}
	}
	if s := query.Get("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 1 || q.Limit > mostPagesLimit {
			return q, bad("bad_limit", fmt.Sprintf("limit=%.40q: use 1 to %d", s, mostPagesLimit))
		}
	}
	if q.After = query.Get("after"); q.After != "" && q.After[0] != '/' {
		return q, bad("bad_after", "after: use `next` of the answer before")
	}
	return q, nil
}
