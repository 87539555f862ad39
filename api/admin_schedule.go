package api

import (
	"fmt"
	"net/http"
	"time"
)

// mostAhead is how far in the future a trigger may be scheduled.
const mostAhead = 5 * 365 * 24 * time.Hour

// when reads "at" and "after"; zero for now.
func when(at, after string, now time.Time) (time.Time, error) {
	var t time.Time
	switch {
	case at == "" && after == "":
		return t, nil
	case at != "" && after != "":
		return t, bad("bad_time", "give at or after, not both")
	case at != "":
		var err error
		if t, err = time.Parse(time.RFC3339, at); err != nil {
			return t, bad("bad_time", fmt.Sprintf("at=%.40q: write it as 2026-11-23T09:00:00Z", at))
		}
	default:
		d, err := time.ParseDuration(after)
		if err != nil || d <= 0 {
			return t, bad("bad_time", fmt.Sprintf("after=%.40q: use a duration such as 90m", after))
		}
		t = now.Add(d)
	}
	if t.Before(now) || t.Sub(now) > mostAhead {
		return t, bad("bad_time", fmt.Sprintf("%s is not in the next years", t.Format(time.RFC3339)))
	}
	return t, nil
}

// schedule makes the trigger durable for later, and answers.
func (a *API) schedule(w http.ResponseWriter, r *http.Request, sel selection) {
	if len(sel.globs) > 0 || sel.failed {
		a.refuse(w, r, bad("bad_time", "globs and failed pages are found now; schedule paths, tags, prefixes or all"))
		return
	}
	t := sel.Trigger
	t.At = sel.at
	accepted, err := a.submit(r, t)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	res := TriggerResult{Pages: []PageResult{}, Message: "scheduled for " + sel.at.UTC().Format(time.RFC3339)}
	for _, p := range accepted.Pages {
		res.Pages = append(res.Pages, PageResult{Path: p.Path.String(), Result: "scheduled"})
	}
	for _, l := range accepted.Labels {
		res.Labels = append(res.Labels, LabelResult{Label: l.Label, Result: "scheduled"})
	}
	res.rest(accepted, "scheduled")
	a.log.Info("trigger scheduled", "at", sel.at, "pages", len(res.Pages), "labels", len(res.Labels), "reason", sel.Reason)
	answer(w, http.StatusAccepted, res)
}
