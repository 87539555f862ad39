package api

import (
	"context"
	"errors"
	"net/http"

	"rebake/worker"
)

// Collector takes away what nobody needs any more.
type Collector interface {
	GC(context.Context, worker.GC) (worker.GCReport, error)
}

// GCRequest is the body of POST /v1/gc.
type GCRequest struct {
	// After is the `next` of the answer before; empty at the start.
	After string `json:"after,omitempty"`
	By    string `json:"by,omitempty"` // who; else the caller's program
}

// GCResult is the answer of /v1/gc: a part of what there is.
type GCResult struct {
	// DryRun says that nothing was touched.
	DryRun bool            `json:"dry_run"`
	Items  []worker.GCItem `json:"items"`
	// Next is the `after` of the next request; empty at the end. There may be
	// more although Items is empty.
	Next string `json:"next,omitempty"`
}

// gc answers GET with what POST would take away.
func (a *API) gc(w http.ResponseWriter, r *http.Request) {
	g, err := a.readGC(w, r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	report, err := a.site.GC(r.Context(), g)
	if n := len(report.Items); n > 0 && !g.DryRun {
		a.log.Warn("garbage collected", "items", n, "by", g.By)
	}
	var held *worker.HeldError
	switch {
	case errors.As(err, &held):
		err = &badRequest{http.StatusConflict, "held", held.Error()}
	case errors.Is(err, worker.ErrCursor):
		err = bad("bad_after", "after: use `next` of the answer before")
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	res := GCResult{DryRun: g.DryRun, Items: []worker.GCItem{}, Next: report.Next}
	res.Items = append(res.Items, report.Items...)
	answer(w, http.StatusOK, res)
}

func (a *API) readGC(w http.ResponseWriter, r *http.Request) (worker.GC, error) {
	if r.Method == http.MethodGet {
		query, err := parseQuery(r)
		return worker.GC{After: query.Get("after"), DryRun: true}, err
	}
	var body GCRequest
	err := a.readObject(w, r, &body, `{}`)
	return worker.GC{After: body.After, By: a.by(body.By, r)}, err
}
