package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"rebake/storage/ledger"
	"rebake/worker"
)

// acceptTime bounds how long a trigger may take to become durable: senders
// time out after two seconds, and seldom try again.
const acceptTime = 2 * time.Second

// revalidated is the answer to an accepted trigger, with the fields that
// callers of Next.js look for.
type revalidated struct {
	Revalidated bool   `json:"revalidated"`
	Now         int64  `json:"now"` // ms
	ID          string `json:"id,omitempty"`
	Pages       int    `json:"pages"`
	Message     string `json:"message,omitempty"`
	// Problem is what the sender of a test has to mend: none of its events would
	// change a page.
	Problem string `json:"problem,omitempty"`
}

// notPublished is the answer when a caller waited, and pages are not
// published; the trigger stands all the same. It is the answer, too, when
// nothing stands, since all its pages are over the quota.
type notPublished struct {
	Revalidated bool         `json:"revalidated"`
	Message     string       `json:"message"`
	ID          string       `json:"id"`
	Failed      []failedPage `json:"failed"`
}

type failedPage struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// revalidate is the drop-in for the route handler that Next.js' users write
// around res.revalidate().
func (a *API) revalidate(w http.ResponseWriter, r *http.Request) {
	in, err := a.readInput(w, r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if !opens(*a.secrets.Load(), in.secrets) {
		a.unauthorized(w, r)
		return
	}
	t, wait, err := a.trigger(in)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	t.Reason = a.reason("revalidate", r)
	if isWordPress(r) {
		t.Items = append(t.Items, a.itemsAt(r.Context(), t)...)
	}
	a.accept(w, r, t, wait)
}

// trigger makes a trigger of an input: everything in it is checked before
// anything is done.
func (a *API) trigger(in input) (worker.Trigger, time.Duration, error) {
	t := worker.Trigger{Priority: ledger.Critical}
	if in.invalid != nil {
		return t, 0, in.invalid
	}
	wait, err := parseWait(in.wait, a.cfg.MaxWait)
	if err != nil {
		return t, 0, err
	}
	if t.Recheck, err = parseSwitch("recheck", in.recheck, true); err != nil {
		return t, 0, err
	}
	if t.OnlyPublished, err = parseSwitch("only_generated", in.onlyGenerated, false); err != nil {
		return t, 0, err
	}
	if t.Paths, err = a.paths(in); err != nil {
		return t, 0, err
	}
	if t.Labels, err = a.labels(in); err != nil {
		return t, 0, err
	}
	if t.Items, err = a.items(in); err != nil {
		return t, 0, err
	}
	if in.all {
		t.Labels, t.Priority = append(t.Labels, ledger.Site), ledger.Low
	}
	switch {
	case len(t.Paths)+len(t.Labels)+len(t.Items)+len(in.slugs) > 0:
	case in.useless != nil:
		return t, 0, in.useless
	default:
		return t, 0, errNoPage
	}
	return t, wait, nil
}

// submit makes the trigger durable. It does so too when the caller hangs up:
// many senders do not wait for an answer, and none of them sends again.
func (a *API) submit(r *http.Request, t worker.Trigger) (worker.Accepted, error) {
	accepted, err := a.submitQuietly(r, t)
	if err == nil {
		a.logAccepted(accepted, t.Reason)
	}
	return accepted, err
}

// submitQuietly is submit for a caller that tells the log.
func (a *API) submitQuietly(r *http.Request, t worker.Trigger) (worker.Accepted, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), acceptTime)
	defer cancel()
	accepted, err := a.site.Accept(ctx, t)
	a.metrics.accepted(accepted, err)
	return accepted, err
}

// logAccepted tells the operator of what the caller is told of, in the same
// numbers.
func (a *API) logAccepted(accepted worker.Accepted, reason string) {
	s := accepted.Spooled
	if s != nil {
		a.log.Info("trigger spooled", "id", s.ID, "pages", len(s.Paths), "labels", len(s.Labels), "reason", reason)
	}
	if n := accepted.ID(); n > 0 || s == nil {
		accepted.Spooled = nil
		a.log.Info("trigger accepted", "id", n, "pages", pages(accepted), "reason", reason)
	}
}

// accept submits the trigger, waits if the caller wants to, and answers. What
// is spooled is not waited for: nobody knows for how long Redis is away, so a
// caller that wants to see its pages published is told at once that they are
// not, and that the trigger stands.
func (a *API) accept(w http.ResponseWriter, r *http.Request, t worker.Trigger, wait time.Duration) {
	accepted, err := a.submit(r, t)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if len(accepted.OverQuota) > 0 && len(accepted.Pages)+len(accepted.Labels) == 0 && accepted.Spooled == nil {
		answer(w, http.StatusInsufficientStorage, notPublished{Message: overQuota, Failed: overQuotaPages(accepted)})
		return
	}
	if wait > 0 {
		if failed := a.await(w, r, accepted, wait); len(failed) > 0 {
			answer(w, http.StatusInternalServerError, notPublished{
				Message: "Error revalidating", ID: id(accepted), Failed: failed,
			})
			return
		}
	}
	res := revalidated{Revalidated: true, Now: time.Now().UnixMilli(), Pages: pages(accepted)}
	res.ID, res.Message = id(accepted), remark(t, accepted)
	if wait > 0 && res.Message == "" {
		res.Message = a.goneRemark(r.Context(), accepted)
	}
	answer(w, http.StatusOK, res)
}

// id is the trigger's number; none when it touched no page. What waits in the
// spool has none yet, and a name by which the log tells what number it got.
func id(accepted worker.Accepted) string {
	if n := accepted.ID(); n > 0 {
		return strconv.FormatUint(n, 10)
	}
	if accepted.Spooled != nil {
		return accepted.Spooled.ID
	}
	return ""
}

// pages counts the pages that are owed a render now.
func pages(accepted worker.Accepted) int {
	n := len(accepted.Pages)
	if accepted.Spooled != nil {
		n += len(accepted.Spooled.Paths)
	}
	for _, l := range accepted.Labels {
		n += int(l.Pages)
	}
	return n
}

// await waits until every page has come to an end, and returns those that are
// not published by then.
func (a *API) await(w http.ResponseWriter, r *http.Request, accepted worker.Accepted, wait time.Duration) []failedPage {
	// The listener's own limit on answers is shorter than a wait may be.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + 10*time.Second))
	ctx, cancel := context.WithTimeoutCause(r.Context(), wait, fmt.Errorf("not yet published after %s; the trigger is kept", wait))
	defer cancel()
	// All at once: a page that is late must not hide that the others are done.
	var mu sync.Mutex
	var failed []failedPage
	var waiters sync.WaitGroup
	each := func(name string, f func() error) {
		waiters.Go(func() {
			if err := f(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, failedPage{name, err.Error()})
			}
		})
	}
	for _, p := range accepted.Pages {
		each(p.Path.String(), func() error { return a.site.Wait(ctx, p) })
	}
	for _, l := range accepted.Labels {
		if !isLookedFor(l.Label) {
			each(string(l.Label), func() error { return a.site.WaitLabel(ctx, l) })
		}
	}
	waiters.Wait()
	if s := accepted.Spooled; s != nil {
		for _, p := range s.Paths {
			failed = append(failed, failedPage{p.String(), kept(s)})
		}
		for _, l := range s.Labels {
			failed = append(failed, failedPage{string(l), kept(s)})
		}
	}
	failed = append(failed, overQuotaPages(accepted)...)
	slices.SortFunc(failed, func(x, y failedPage) int { return strings.Compare(x.Path, y.Path) })
	return failed
}

// reason says who asked.
func (a *API) reason(how string, r *http.Request) string {
	if agent := a.words(r.UserAgent(), 60); agent != "" {
		return how + " by " + agent
	}
	return how
}

// words makes the sender's own words fit to be kept and shown: without what
// does not print, without a secret, and not longer than most bytes.
func (a *API) words(s string, most int) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return -1
	}, a.scrub(s))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
