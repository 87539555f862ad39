package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// HoldRequest is the body of POST /v1/hold and /v1/resume.
type HoldRequest struct {
	Reason string `json:"reason"`
	By     string `json:"by,omitempty"` // who; else the caller's program
}

// HoldResult is the answer to both.
type HoldResult struct {
	Held bool         `json:"held"`
	Hold *ledger.Hold `json:"hold,omitempty"` // as it is now, or was until now
}

func (a *API) hold(w http.ResponseWriter, r *http.Request) {
	var body HoldRequest
	err := a.readObject(w, r, &body, `{"reason": "the CMS is being moved"}`)
	if err == nil {
		if body.Reason = strings.TrimSpace(a.words(body.Reason, 200)); body.Reason == "" {
			err = bad("missing_reason", "say why, for those who will wonder: {\"reason\": \"the CMS is being moved\"}")
		}
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), acceptTime)
	defer cancel()
	by := a.by(body.By, r)
	err = a.site.Hold(ctx, by, body.Reason)
	var hold *ledger.Hold
	if err == nil {
		hold, err = a.state.Held(ctx)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.log.Warn("publishing held", "by", by, "reason", body.Reason)
	answer(w, http.StatusOK, HoldResult{Held: true, Hold: hold})
}

func (a *API) resume(w http.ResponseWriter, r *http.Request) {
	var body HoldRequest
	if err := a.readObject(w, r, &body, `{}`); err != nil {
		a.refuse(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), acceptTime)
	defer cancel()
	hold, err := a.state.Held(ctx)
	if err == nil {
		_, err = a.state.Resume(ctx)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if hold != nil {
		a.log.Warn("publishing resumed", "by", a.by(body.By, r), "reason", a.words(body.Reason, 200), "held", hold.Why)
	}
	answer(w, http.StatusOK, HoldResult{Hold: hold})
}

// RemoveRequest is the body of POST /v1/remove.
type RemoveRequest struct {
	Path string `json:"path"` // decoded
	// KeepGone says that no trigger brings the page back, until one names its
	// path at /v1/triggers.
	KeepGone bool   `json:"keep_gone,omitempty"`
	Reason   string `json:"reason,omitempty"`
	By       string `json:"by,omitempty"` // who; else the caller's program
}

// RemoveResult is the answer to POST /v1/remove.
type RemoveResult struct {
	Path    string       `json:"path"`
	Removed bool         `json:"removed"` // false: it was not there
	Kept    *ledger.Kept `json:"kept,omitempty"`
}

func (a *API) remove(w http.ResponseWriter, r *http.Request) {
	var body RemoveRequest
	if err := a.readObject(w, r, &body, `{"path": "/blog/a"}`); err != nil {
		a.refuse(w, r, err)
		return
	}
	p, err := a.pageNamed(body.Path)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	// It takes a lock and two steps of the ledger, which have their own time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 2*acceptTime)
	defer cancel()
	res, err := a.removePage(ctx, p, worker.Removal{Path: p, Keep: body.KeepGone, By: a.by(body.By, r), Reason: a.words(body.Reason, 200)})
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, res)
}

func (a *API) removePage(ctx context.Context, p storage.Path, removal worker.Removal) (res RemoveResult, err error) {
	s, err := a.state.State(ctx, p)
	if err != nil {
		return res, err
	}
	if s.Freshness == ledger.PageUnknown && !removal.Keep {
		return res, &badRequest{http.StatusNotFound, "no_page", p.String() + " is no page that is known; with --keep-gone it never becomes one"}
	}
	err = a.site.Remove(ctx, removal)
	if errors.Is(err, storage.ErrForeign) {
		return res, &badRequest{http.StatusConflict, "foreign_file", err.Error()}
	}
	if err != nil {
		return res, err
	}
	a.log.Warn("page removed", "path", p.String(), "keep_gone", removal.Keep, "by", removal.By, "reason", removal.Reason)
	res = RemoveResult{Path: p.String(), Removed: s.Page != nil && !s.Page.Gone}
	res.Kept, err = a.state.Kept(ctx, p)
	return res, err
}
