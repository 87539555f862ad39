package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"rebake/storage"
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
}

// notPublished is the answer when a caller waited, and pages are not
// published. The trigger stands all the same.
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
	if err == nil && !opens(a.cfg.Secrets, in.secrets) {
		err = errUnauthorized
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	t, wait, err := a.trigger(in)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	t.Reason = a.reason("revalidate", r)
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
	t.Paths, err = a.paths(in)
	return t, wait, err
}

func (a *API) paths(in input) ([]storage.Path, error) {
	if n := len(in.paths) + len(in.escapedPaths) + len(in.slugs); n > a.cfg.MaxPaths {
		return nil, bad("too_many", fmt.Sprintf("%d paths; at most %d in one request", n, a.cfg.MaxPaths))
	}
	var list []storage.Path
	add := func(p storage.Path, err error) error {
		if err == nil && !slices.Contains(list, p) {
			list = append(list, p)
		}
		return err
	}
	for _, s := range in.paths {
		if err := add(a.parse(s, a.cfg.Rules.Parse)); err != nil {
			return nil, err
		}
	}
	for _, s := range in.escapedPaths {
		if err := add(a.parse(s, a.cfg.Rules.ParseEscaped)); err != nil {
			return nil, err
		}
	}
	for _, slug := range in.slugs {
		pages, err := a.slugPages(slug)
		if err != nil {
			return nil, err
		}
		for _, p := range pages {
			_ = add(p, nil)
		}
	}
	if len(list) > 0 || len(in.slugs) > 0 {
		return list, nil
	}
	if len(in.labels) > 0 {
		return nil, bad("unsupported", fmt.Sprintf("%s: this version knows paths only; send path or paths", strings.Join(in.labels, ", ")))
	}
	return nil, bad("missing_path", "say which page: path=/blog/a, or JSON {\"paths\": [\"/blog/a\"]}")
}

// slugPages returns the pages that a slug may stand for. A slug is one segment
// of a path; whatever has a slash is a path, or the URL of one. When a slug
// makes a page of one route and nothing of another, the page counts.
func (a *API) slugPages(slug string) ([]storage.Path, error) {
	candidates := []string{slug}
	if slug != "" && !strings.Contains(slug, "/") && !strings.Contains(strings.ToLower(slug), "%2f") {
		candidates = a.routes.SlugPaths(slug)
	}
	var pages []storage.Path
	var refused error
	for _, s := range candidates {
		p, err := a.parse(s, a.cfg.Rules.ParseEscaped)
		if err != nil {
			refused = err
			continue
		}
		pages = append(pages, p)
	}
	if len(pages) > 0 {
		return pages, nil
	}
	return nil, refused
}

// parse reads what a CMS calls a path: one, or the URL of a page on a host
// that is known to show this site. The query of a URL says how the CMS finds
// the page, and not which page it is. WordPress renames what it puts into the
// trash; the page to look at is the one before.
func (a *API) parse(s string, parse func(string) (storage.Path, error)) (storage.Path, error) {
	if u, err := url.Parse(s); err == nil && (u.Scheme == "http" || u.Scheme == "https") && a.knowsHost(u.Host) {
		s, parse = u.EscapedPath(), a.cfg.Rules.ParseEscaped
		if s == "" {
			s = "/"
		}
	}
	if rest, ok := strings.CutSuffix(strings.TrimSuffix(s, "/"), "__trashed"); ok {
		s = rest
	}
	return parse(s)
}

func (a *API) knowsHost(host string) bool {
	return host != "" && slices.ContainsFunc(a.cfg.Hosts, func(known string) bool { return strings.EqualFold(known, host) })
}

// submit makes the trigger durable. It does so too when the caller hangs up:
// many senders do not wait for an answer, and none of them sends again.
func (a *API) submit(r *http.Request, t worker.Trigger) (worker.Accepted, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), acceptTime)
	defer cancel()
	accepted, err := a.site.Accept(ctx, t)
	if err == nil {
		a.log.Info("trigger accepted", "id", accepted.ID(), "pages", len(accepted.Pages), "reason", t.Reason)
	}
	return accepted, err
}

// accept submits the trigger, waits if the caller wants to, and answers.
func (a *API) accept(w http.ResponseWriter, r *http.Request, t worker.Trigger, wait time.Duration) {
	accepted, err := a.submit(r, t)
	if err != nil {
		a.refuse(w, r, err)
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
	res := revalidated{Revalidated: true, Now: time.Now().UnixMilli(), Pages: len(accepted.Pages)}
	res.ID, res.Message = id(accepted), remark(t, accepted)
	answer(w, http.StatusOK, res)
}

// id is the trigger's number; none when it touched no page.
func id(accepted worker.Accepted) string {
	if n := accepted.ID(); n > 0 {
		return strconv.FormatUint(n, 10)
	}
	return ""
}

// remark says what an accepted trigger did not touch.
func remark(t worker.Trigger, accepted worker.Accepted) string {
	switch {
	case len(accepted.Unmatched) > 0:
		return fmt.Sprintf("no route matches %s", join(accepted.Unmatched))
	case len(accepted.Pages) > 0:
		return ""
	case len(t.Paths) == 0:
		return "no page matches"
	default:
		return fmt.Sprintf("never published, so left alone: %s", join(t.Paths))
	}
}

func join(paths []storage.Path) string {
	const most = 5
	var names []string
	for _, p := range paths[:min(len(paths), most)] {
		names = append(names, p.String())
	}
	if more := len(paths) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// await waits until every page has come to an end, and returns those that are
// not published by then.
func (a *API) await(w http.ResponseWriter, r *http.Request, accepted worker.Accepted, wait time.Duration) []failedPage {
	// The listener's own limit on answers is shorter than a wait may be.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + 10*time.Second))
	ctx, cancel := context.WithTimeoutCause(r.Context(), wait, fmt.Errorf("not yet published after %s; the trigger is kept", wait))
	defer cancel()
	// All at once: a page that is late must not hide that the others are done.
	errs := make([]error, len(accepted.Pages))
	var waiters sync.WaitGroup
	for i, p := range accepted.Pages {
		waiters.Go(func() { errs[i] = a.site.Wait(ctx, p) })
	}
	waiters.Wait()
	var failed []failedPage
	for i, err := range errs {
		if err != nil {
			failed = append(failed, failedPage{accepted.Pages[i].Path.String(), err.Error()})
		}
	}
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
