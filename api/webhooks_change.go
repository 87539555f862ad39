package api

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rebake/api/webhook"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// What one event may become: so many triggers of as many names as a trigger may
// have. An event that names more is about the whole site.
const (
	mostTriggers = 10 // of pages and items, which are renders and questions to the CMS
	mostLookups  = 50 // of tags and of pages that may be known, which are one look into the ledger each
)

// changed is what an event has changed, as pages of this site.
type changed struct {
	trigger worker.Trigger // without all
	all     bool
	most    int      // of paths in one trigger
	reason  string   // who asked
	said    string   // of the event, so far
	ruled   bool     // there are rules, and none matched
	asks    bool     // there is a CMS that is asked where an item belongs
	left    []string // texts that name no page here
}

// changed takes a sender's words for paths and labels of this site. What names
// nothing here is left out: a CMS may well show more than this site.
func (a *API) changed(hook *webhook.Hook, r webhook.Reading) changed {
	cfg := hook.Config()
	c := changed{all: r.All, most: a.cfg.MaxPaths, said: r.Message, ruled: r.Ruled && len(r.Matched) == 0}
	if resolver, ok := a.routes.(Resolver); ok {
		c.asks = resolver.Resolves()
	}
	c.trigger = worker.Trigger{Priority: ledger.Critical, Settle: *cfg.Settle, MaxWait: *cfg.MaxWait, Recheck: *cfg.Recheck > 0, RecheckAfter: *cfg.Recheck, Edited: r.Edited}
	a.shorten(hook, &r, &c)
	c.trigger.Paths = a.pagesOf(r.Paths, &c)
	c.trigger.Known = slices.DeleteFunc(a.pagesOf(r.Known, &c), func(p storage.Path) bool { return slices.Contains(c.trigger.Paths, p) })
	for _, p := range a.pagesOf(r.Prefixes, &c) {
		c.trigger.Labels = append(c.trigger.Labels, ledger.Prefix(p))
	}
	for _, tag := range r.Tags {
		if err := checkTag(tag); err != nil {
			c.left = append(c.left, err.Error())
			continue
		}
		c.trigger.Labels = append(c.trigger.Labels, ledger.Tag(tag))
	}
	for _, item := range r.Items {
		if err := checkTag(item.Tag); err != nil {
			c.left = append(c.left, err.Error())
			continue
		}
		c.trigger.Items = append(c.trigger.Items, item)
	}
	return c
}

// shorten leaves out what an event names beyond what it may, for which all known
// pages are looked at. Its sender is told.
func (a *API) shorten(hook *webhook.Hook, r *webhook.Reading, c *changed) {
	tell := func(format string, args ...any) {
		c.all = true
		why := fmt.Sprintf(format, args...) + "; all known pages are rendered instead, at low priority"
		c.said = sentences(c.said, why)
		a.log.Warn("event names too much", "webhook", hook.Name(), "why", why)
	}
	room := mostTriggers * c.most
	if named := len(r.Paths) + len(r.Items); named > room {
		r.Items = r.Items[:min(len(r.Items), room/2)]
		r.Paths = r.Paths[:min(len(r.Paths), room-len(r.Items))]
		tell("it names %d pages and items, and the last %d are left out", named, named-len(r.Paths)-len(r.Items))
	}
	room = mostLookups * c.most
	if named := len(r.Known) + len(r.Tags) + len(r.Prefixes); named > room {
		r.Known, r.Tags, r.Prefixes = nil, nil, nil
		tell("it names %d tags, prefixes and pages that may be known, more than %d", named, room)
	}
}

// checkTag says why a text is no tag, nil if it is one.
func checkTag(tag string) error {
	switch {
	case tag == "":
		return errors.New("a tag is empty")
	case len(tag) > maxTag:
		return fmt.Errorf("the tag %.40q … is longer than %d bytes", tag, maxTag)
	case !utf8.ValidString(tag) || strings.ContainsFunc(tag, unicode.IsControl):
		return fmt.Errorf("the tag %.40q is no text", tag)
	}
	return nil
}

// pagesOf returns the pages that a sender's texts mean, each once.
func (a *API) pagesOf(texts []string, c *changed) []storage.Path {
	pages, left := a.cfg.Pages(texts)
	c.left = append(c.left, left...)
	return pages
}

// foreign says what is wrong with the address that a WordPress has for its own:
// where its host is none of this site's, all pages that its events name are left
// out. It is "" for a known one, and for none.
func (a *API) foreign(home string) string {
	u, err := url.Parse(home)
	if home == "" || err == nil && a.knowsHost(u.Host) {
		return ""
	}
	return fmt.Sprintf("WordPress calls itself %.200q, which is no host of this site (known: %s), so every page that its edits name is left out; in rebake.yaml give that host to its origin (host) or to its source (url)",
		home, strings.Join(unique(a.cfg.Hosts), ", "))
}

func (c changed) isZero() bool {
	t := c.trigger
	return len(t.Paths)+len(t.Known)+len(t.Labels)+len(t.Items) == 0 && !c.all
}

// triggers returns triggers that name no more paths each than one may.
func (c changed) triggers() []worker.Trigger {
	var list []worker.Trigger
	c.trigger.Reason = c.reason
	t := c.trigger
	for len(t.Paths)+len(t.Known)+len(t.Labels)+len(t.Items) > 0 {
		part, room := t, c.most
		part.Items, t.Items, room = take(t.Items, room) // first: their versions count for all pages
		part.Paths, t.Paths, room = take(t.Paths, room)
		part.Labels, t.Labels, room = take(t.Labels, room)
		part.Known, t.Known, _ = take(t.Known, room)
		list = append(list, part)
	}
	if c.all {
		site := worker.Trigger{Labels: []ledger.Label{ledger.Site}, Priority: ledger.Low, Reason: c.reason, Edited: c.trigger.Edited}
		site.Settle, site.MaxWait = max(c.trigger.Settle, time.Second), max(c.trigger.MaxWait, 10*time.Second)
		list = append(list, site)
	}
	return list
}

// take returns the first of a list, as many as there is room for, the others,
// and the room that is left.
func take[T any](list []T, room int) (first, rest []T, left int) {
	n := min(len(list), room)
	return list[:n:n], list[n:], room - n
}

// remark says to the sender's log what was made of the event.
func (c changed) remark(accepted worker.Accepted) string {
	var said []string
	if c.said != "" {
		said = append(said, c.said)
	}
	if n := len(c.left); n > 0 {
		said = append(said, "left out: "+strings.Join(c.left[:min(n, 3)], "; "))
	}
	switch {
	case c.isZero() && c.ruled:
		said = append(said, "no rule matches")
	case c.isZero() && len(said) == 0:
		said = append(said, "it is about no page")
	case len(c.trigger.Items) > 0 && !c.asks && !c.all && pages(accepted) == 0 && accepted.Spooled == nil && len(accepted.Unmatched) == 0:
		said = append(said, "no page has the tag "+c.trigger.Items[0].Tag+" yet")
	case !c.isZero():
		said = append(said, remark(c.trigger, accepted))
	}
	return sentences(said...)
}

// sentences joins texts that are not empty.
func sentences(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), ". ")
}
