package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"rebake/storage/ledger"
)

// PageRow is one page in a list.
type PageRow struct {
	Path      string           `json:"path"`
	Freshness ledger.Freshness `json:"freshness"`
	Changed   time.Time        `json:"changed,omitzero"` // last time that other bytes were published
	Size      int64            `json:"size,omitzero"`
	Route     string           `json:"route,omitzero"`
	Label     ledger.Label     `json:"label,omitzero"` // that makes it stale
	Error     string           `json:"error,omitzero"` // of the last failed try
}

func newPageRow(s ledger.State) PageRow {
	row := PageRow{Path: s.Path.String(), Freshness: s.Freshness, Label: s.Label}
	if s.Page != nil {
		row.Changed, row.Size, row.Route = s.Page.Changed, s.Page.Size, s.Page.Route
	}
	if s.Owed != nil {
		row.Error = s.Owed.Error
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

// states are those that pages can be listed by.
var states = []ledger.Freshness{ledger.PageFresh, ledger.PageStale, ledger.PageRetrying, ledger.PageFailed, ledger.PageGone}

func (a *API) listPages(w http.ResponseWriter, r *http.Request) {
	q, err := a.pagesQuery(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	list, next, err := a.state.List(r.Context(), q)
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
			return q, bad("bad_state", fmt.Sprintf("state=%.40q: use fresh, stale, retrying, failed or gone", s))
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
