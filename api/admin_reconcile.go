package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rebake/storage/ledger"
	"rebake/worker"
)

// Reconciler finds what has changed of which nobody told.
type Reconciler interface {
	// Watches are the names of the sources and origins that can be asked.
	Watches() []string
	Reconcile(context.Context, worker.Reconciliation) (worker.Reconciled, error)
}

// Polled tells of the last polls.
type Polled interface {
	Polls(context.Context) ([]ledger.PollState, error)
}

// ReconcileRequest is the body of POST /v1/reconcile.
type ReconcileRequest struct {
	Source string `json:"source"` // or origin
	// Full compares everything that is there. When the answer says that it is
	// open, a request without Full goes on.
	Full bool `json:"full,omitempty"`
	// DryRun triggers nothing.
	DryRun bool   `json:"dry_run,omitempty"`
	By     string `json:"by,omitempty"` // who; else the caller's program
}

// reconcileWriteTime is longer than it takes to get the turn, to look, and to
// note what was seen.
const reconcileWriteTime = time.Minute

// ReconcileResult is the answer to POST /v1/reconcile.
type ReconcileResult struct {
	DryRun bool `json:"dry_run"`
	worker.Reconciled
}

// ReconcileSources is the answer to GET /v1/reconcile: what can be asked, and
// how it was the last time.
type ReconcileSources struct {
	Sources []ledger.PollState `json:"sources"`
}

func (a *API) reconcile(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		a.reconcileSources(w, r)
		return
	}
	var body ReconcileRequest
	if err := a.readObject(w, r, &body, `{"source": "cms"}`); err != nil {
		a.refuse(w, r, err)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(reconcileWriteTime))
	report, err := a.site.Reconcile(r.Context(), worker.Reconciliation{Source: body.Source, DryRun: body.DryRun, Full: body.Full})
	if report.Count > 0 && !body.DryRun {
		a.log.Info("reconciled", "source", body.Source, "found", report.Count, "by", a.by(body.By, r))
	}
	var held *worker.HeldError
	switch {
	case errors.As(err, &held):
		err = &badRequest{http.StatusConflict, "held", held.Error()}
	case errors.Is(err, worker.ErrNotWatched):
		err = &badRequest{http.StatusNotFound, "no_source", a.noSource(body.Source)}
	case errors.Is(err, worker.ErrPolled):
		err = &badRequest{http.StatusConflict, "busy", body.Source + ": " + err.Error()}
	case err != nil && r.Context().Err() == nil:
		a.log.Warn("reconcile", "source", body.Source, "err", err)
		err = &badRequest{http.StatusBadGateway, "source_failed", a.scrub(err.Error())}
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, ReconcileResult{body.DryRun, report})
}

// noSource says what could have been asked.
func (a *API) noSource(name string) string {
	text := a.words(name, 60) + " cannot be asked what has changed"
	if names := a.site.Watches(); len(names) > 0 {
		return text + "; these can: " + strings.Join(names, ", ")
	}
	return text + "; a source or an origin of kind wordpress can, and a source that a route has a list of"
}

func (a *API) reconcileSources(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), acceptTime)
	defer cancel()
	polls, err := a.polls(ctx)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	res := ReconcileSources{Sources: []ledger.PollState{}}
	for _, name := range a.site.Watches() {
		state := ledger.PollState{Source: name}
		if i := slices.IndexFunc(polls, func(s ledger.PollState) bool { return s.Source == name }); i >= 0 {
			state = polls[i]
		}
		res.Sources = append(res.Sources, state)
	}
	answer(w, http.StatusOK, res)
}

// polls are the last ones of what can still be asked.
func (a *API) polls(ctx context.Context) ([]ledger.PollState, error) {
	polls, err := a.state.Polls(ctx)
	names := a.site.Watches()
	return slices.DeleteFunc(polls, func(s ledger.PollState) bool { return !slices.Contains(names, s.Source) }), err
}

var reconcileFound = prometheus.NewDesc("rebake_reconcile_found_total", "Changes of which nobody had told, as polls of the source have found them.", []string{"source"}, nil)

// collectPolls tells what all processes have found.
func (a *API) collectPolls(ctx context.Context, to chan<- prometheus.Metric) {
	polls, err := a.polls(ctx)
	if err != nil {
		return
	}
	for _, s := range polls {
		to <- prometheus.MustNewConstMetric(reconcileFound, prometheus.CounterValue, float64(s.Total), s.Source)
	}
}
