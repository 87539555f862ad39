package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// CreateTrigger is the body of POST /v1/triggers: which pages, and how.
type CreateTrigger struct {
	Paths    []string `json:"paths,omitempty"` // decoded
	Globs    []string `json:"globs,omitempty"` // of known pages: "/blog/*", "/shop/**"
	Tags     []string `json:"tags,omitempty"`
	Prefixes []string `json:"prefixes,omitempty"` // decoded; whole segments
	All      bool     `json:"all,omitempty"`      // every known page
	Failed   bool     `json:"failed,omitempty"`   // every page that nobody tries any more

	// Priority is critical for what is named, default for globs and failed
	// pages, low for all, unless it is given.
	Priority string `json:"priority,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Wait is a duration: answer when the pages are published, or after it.
	Wait string `json:"wait,omitempty"`
	// At (RFC 3339) or After (a duration) schedule the trigger: it is durable
	// now, and accepted then.
	At    string `json:"at,omitempty"`
	After string `json:"after,omitempty"`
	// DryRun answers what would be touched, and touches nothing.
	DryRun bool `json:"dry_run,omitempty"`
	// OnlyGenerated leaves pages alone that were never published.
	OnlyGenerated bool `json:"only_generated,omitempty"`
}

// TriggerResult is the answer to POST /v1/triggers.
type TriggerResult struct {
	// ID is for GET /v1/triggers/{id}; empty when no page is touched.
	ID     string        `json:"id,omitempty"`
	Pages  []PageResult  `json:"pages"`
	Labels []LabelResult `json:"labels,omitempty"`
	// Message says why there is less than was asked for, or why nothing comes
	// of it yet.
	Message string       `json:"message,omitempty"`
	Hold    *ledger.Hold `json:"hold,omitempty"`
}

// PageResult says what became of one page of a trigger.
type PageResult struct {
	Path string `json:"path"`
	// Result is "accepted", or with Wait "done", "gone", "retrying" (it failed,
	// and is tried again) or "failed", or "scheduled"; "spooled" when Redis does
	// not take it now, also with Wait; "unmatched" when no route has the path.
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
	// Next is when it is tried again.
	Next time.Time `json:"next,omitzero"`
}

// LabelResult says what became of the pages with a label.
type LabelResult struct {
	Label  ledger.Label `json:"label"` // "tag:post:42", "prefix:/blog", "site"
	ID     string       `json:"id"`
	Pages  int64        `json:"pages"`  // that have the label now
	Result string       `json:"result"` // as of a page
	Reason string       `json:"reason,omitempty"`
}

const (
	triggerExample = `{"paths": ["/blog/a"]}`
	// acceptBatch is how many pages are accepted within acceptTime.
	acceptBatch = 500
)

var errNothingNamed = bad("missing_path", `say which pages: {"paths": ["/blog/a"]}, or globs, tags, prefixes, "all": true, "failed": true`)

func (a *API) createTrigger(w http.ResponseWriter, r *http.Request) {
	var body CreateTrigger
	if err := a.readObject(w, r, &body, triggerExample); err != nil {
		a.refuse(w, r, err)
		return
	}
	sel, err := a.selection(body)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if body.DryRun {
		a.dryRun(w, r, sel)
		return
	}
	if sel.Reason == "" {
		sel.Reason = a.reason("admin", r)
	}
	if !sel.at.IsZero() {
		a.schedule(w, r, sel)
		return
	}
	a.acceptAdmin(w, r, sel)
}

func (a *API) acceptAdmin(w http.ResponseWriter, r *http.Request, sel selection) {
	accepted, err := a.submitAll(r, sel)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	res := TriggerResult{ID: id(accepted), Pages: []PageResult{}}
	var hold *ledger.Hold
	if accepted.Spooled == nil {
		hold = a.extras(w, r, sel, accepted)
	}
	failed := make(map[string]string)
	result := "accepted"
	switch {
	case accepted.Spooled != nil:
		res.Message = kept(accepted.Spooled)
	case len(accepted.Pages)+len(accepted.Labels)+len(accepted.Unmatched)+len(accepted.OverQuota) == 0:
		res.Message = a.nothing(sel)
	case hold != nil:
		res.Hold, res.Message = hold, "publishing is held: "+hold.Why
	case sel.wait == 0:
	case len(accepted.Pages) > a.cfg.MaxPaths:
		res.Message = fmt.Sprintf("%d pages are too many to wait for in one request; ask for /v1/triggers/%s", len(accepted.Pages), res.ID)
	default:
		result = "done"
		for _, f := range a.await(w, r, accepted, sel.wait) {
			failed[f.Path] = f.Reason
		}
	}
	become := func(name string) (string, string) {
		if why, ok := failed[name]; ok {
			return "failed", why
		}
		return result, ""
	}
	for _, p := range accepted.Pages {
		one := PageResult{Path: p.Path.String()}
		one.Result, one.Reason = become(one.Path)
		switch one.Result {
		case "done":
			if why := a.gone(r.Context(), p.Path); why != "" {
				one.Result, one.Reason = "gone", why
			}
		case "failed":
			s, err := a.state.State(r.Context(), p.Path)
			if err == nil && s.Freshness == ledger.PageRetrying {
				one.Result, one.Reason, one.Next = string(s.Freshness), cmp.Or(s.Owed.Error, one.Reason), s.Owed.Due
			}
		}
		res.Pages = append(res.Pages, one)
	}
	for _, l := range accepted.Labels {
		one := LabelResult{Label: l.Label, ID: fmt.Sprint(l.ID), Pages: l.Pages}
		one.Result, one.Reason = become(string(l.Label))
		res.Labels = append(res.Labels, one)
	}
	res.rest(accepted, "spooled")
	a.passed(&res)
	answer(w, http.StatusAccepted, res)
}

// rest adds what the ledger does not have: spooled parts, by the word for them,
// and paths that no route matches.
func (res *TriggerResult) rest(accepted worker.Accepted, spooled string) {
	if s := accepted.Spooled; s != nil {
		for _, p := range s.Paths {
			res.Pages = append(res.Pages, PageResult{Path: p.String(), Result: spooled, Reason: s.Why})
		}
		for _, l := range s.Labels {
			res.Labels = append(res.Labels, LabelResult{Label: l, ID: s.ID, Result: spooled, Reason: s.Why})
		}
	}
	for _, p := range accepted.OverQuota {
		res.Pages = append(res.Pages, PageResult{Path: p.String(), Result: "failed", Reason: overQuota})
	}
	for _, p := range accepted.Unmatched {
		res.Pages = append(res.Pages, PageResult{Path: p.String(), Result: "unmatched", Reason: "no route matches"})
	}
}

// passed says why no route matches a path that seems to have one.
func (a *API) passed(res *TriggerResult) {
	for i, one := range res.Pages {
		p, err := a.cfg.Rules.Parse(one.Path)
		if one.Result != "unmatched" || err != nil {
			continue
		}
		if name := a.routes.PassedTo(p); name != "" {
			res.Pages[i].Reason = fmt.Sprintf("the origin %q always answers this path itself", name)
		}
	}
}

// extras lets the caller ask how the trigger is getting on, and returns the
// hold. It is accepted, whatever comes of this.
func (a *API) extras(w http.ResponseWriter, r *http.Request, sel selection, accepted worker.Accepted) *ledger.Hold {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), acceptTime)
	defer cancel()
	a.remember(ctx, w, sel, accepted)
	hold, err := a.state.Held(ctx)
	if err != nil {
		return nil
	}
	return hold
}

// gone returns why a page is none although its runs have ended; "" for one that
// is there, or still owed.
func (a *API) gone(ctx context.Context, p storage.Path) string {
	s, err := a.state.State(ctx, p)
	if err != nil || s.Owed != nil || s.Page != nil && !s.Page.Gone {
		return ""
	}
	if kept, err := a.state.Kept(ctx, p); err == nil && kept != nil {
		return "it was removed to stay away (`rebake explain` says by whom)"
	}
	return "the source has no such page"
}

// nothing says why a trigger touched nothing.
func (a *API) nothing(sel selection) string {
	switch {
	case len(sel.Paths) > 0:
		return "never published, so left alone: " + join(sel.Paths)
	case len(sel.globs) > 0:
		return "no known page matches"
	default:
		return "no page has failed"
	}
}

// submitAll makes the trigger durable: what was named first, since a person
// may wait for it, then what was found. A page that is named comes back when
// it was kept removed.
func (a *API) submitAll(r *http.Request, sel selection) (worker.Accepted, error) {
	found, err := a.matched(r.Context(), sel)
	if err != nil {
		return worker.Accepted{}, err
	}
	var all worker.Accepted
	if len(sel.Paths)+len(sel.Labels) > 0 {
		t := sel.Trigger
		t.Unkeep = true
		if all, err = a.submit(r, t); err != nil {
			return all, err
		}
	}
	for batch := range slices.Chunk(found, acceptBatch) {
		t := sel.Trigger
		t.Paths, t.Labels = batch, nil
		one, err := a.submit(r, t)
		if err != nil {
			return all, err
		}
		all.Pages, all.Unmatched = append(all.Pages, one.Pages...), append(all.Unmatched, one.Unmatched...)
		all.OverQuota = append(all.OverQuota, one.OverQuota...)
		if all.Spooled == nil {
			all.Spooled = one.Spooled
		} else if one.Spooled != nil {
			all.Spooled.Paths = append(all.Spooled.Paths, one.Spooled.Paths...)
		}
	}
	return all, nil
}

// remember lets the caller ask how the trigger is getting on. When that cannot
// be had, the trigger stands all the same.
func (a *API) remember(ctx context.Context, w http.ResponseWriter, sel selection, accepted worker.Accepted) {
	rec := ledger.Record{ID: accepted.ID(), Reason: sel.Reason, At: time.Now()}
	if rec.ID == 0 {
		return
	}
	for _, p := range accepted.Pages {
		rec.Paths = append(rec.Paths, ledger.RecordedPath{Path: p.Path.String(), ID: p.ID})
	}
	for _, l := range accepted.Labels {
		rec.Labels = append(rec.Labels, ledger.RecordedLabel{Label: l.Label, ID: l.ID})
	}
	if err := a.state.SaveRecord(ctx, rec); err != nil {
		a.log.Warn("trigger accepted, but its progress cannot be asked for", "id", rec.ID, "err", err)
		return
	}
	w.Header().Set("Location", "/v1/triggers/"+id(accepted))
}
