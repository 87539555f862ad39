package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"rebake/storage/ledger"
	"rebake/worker"
)

// CreateTrigger is the body of POST /v1/triggers.
type CreateTrigger struct {
	Paths    []string `json:"paths"` // decoded
	Priority string   `json:"priority,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	// Wait is a duration: answer when the pages are published, or after it.
	Wait string `json:"wait,omitempty"`
}

// TriggerResult is the answer to POST /v1/triggers.
type TriggerResult struct {
	ID    string       `json:"id,omitempty"`
	Pages []PageResult `json:"pages"`
}

// PageResult says what became of one page of a trigger.
type PageResult struct {
	Path string `json:"path"`
	// Result is "accepted", or with Wait "done" or "failed"; "unmatched" when
	// no route has the path.
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
}

func (a *API) createTrigger(w http.ResponseWriter, r *http.Request) {
	body, err := a.readCreateTrigger(w, r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	t := worker.Trigger{Priority: ledger.Critical, Reason: a.words(body.Reason, 200)}
	if t.Reason == "" {
		t.Reason = a.reason("admin", r)
	}
	wait, err := parseWait(body.Wait, a.cfg.MaxWait)
	if err == nil && body.Priority != "" {
		if t.Priority, err = ledger.ParsePriority(body.Priority); err != nil {
			err = bad("bad_priority", err.Error())
		}
	}
	if err == nil {
		t.Paths, err = a.paths(input{paths: body.Paths})
		if err == nil && len(t.Paths) == 0 {
			err = errNoPage
		}
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.acceptAdmin(w, r, t, wait)
}

func (a *API) readCreateTrigger(w http.ResponseWriter, r *http.Request) (body CreateTrigger, err error) {
	raw, err := a.readBody(w, r)
	if err != nil {
		return body, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if _, err = object(raw); err == nil {
		err = dec.Decode(&body)
	}
	if err != nil {
		return body, bad("bad_json", "the body must be JSON such as {\"paths\": [\"/blog/a\"]}: "+err.Error())
	}
	return body, nil
}

func (a *API) acceptAdmin(w http.ResponseWriter, r *http.Request, t worker.Trigger, wait time.Duration) {
	accepted, err := a.submit(r, t)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	failed := make(map[string]string)
	result := "accepted"
	if wait > 0 {
		result = "done"
		for _, f := range a.await(w, r, accepted, wait) {
			failed[f.Path] = f.Reason
		}
	}
	res := TriggerResult{ID: id(accepted), Pages: []PageResult{}}
	for _, p := range accepted.Pages {
		one := PageResult{Path: p.Path.String(), Result: result}
		if why, ok := failed[one.Path]; ok {
			one.Result, one.Reason = "failed", why
		}
		res.Pages = append(res.Pages, one)
	}
	for _, p := range accepted.Unmatched {
		res.Pages = append(res.Pages, PageResult{Path: p.String(), Result: "unmatched", Reason: "no route matches"})
	}
	answer(w, http.StatusAccepted, res)
}

func (a *API) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether a trigger would be accepted now.
func (a *API) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	if _, err := a.state.Counts(ctx); err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "reason": "the queue does not answer"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

// Explanation is the answer of /v1/explain: all that is known of one path.
type Explanation struct {
	Path      string            `json:"path"`
	File      string            `json:"file"`
	Freshness ledger.Freshness  `json:"freshness"`
	Page      *ledger.PageState `json:"page,omitempty"`
	Owed      *ledger.OwedState `json:"owed,omitempty"`
}

func (a *API) explain(w http.ResponseWriter, r *http.Request) {
	query, err := parseQuery(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	p, err := a.cfg.Rules.Parse(query.Get("path"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), acceptTime)
	defer cancel()
	s, err := a.state.State(ctx, p)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, explanation(s))
}

func explanation(s ledger.State) Explanation {
	return Explanation{Path: s.Path.String(), File: s.Path.File(), Freshness: s.Freshness, Page: s.Page, Owed: s.Owed}
}
