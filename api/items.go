package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// Resolver is a Routes that may know a CMS, which can be asked what an item is
// now and where it belongs.
type Resolver interface {
	// Resolves reports whether there is one.
	Resolves() bool
}

const (
	// mostLookedUp is of how many paths of one request the items are looked for.
	mostLookedUp = 20
	// lookUpTime bounds how long that may take: the request itself counts, and
	// its sender does not wait for long.
	lookUpTime = 300 * time.Millisecond
)

// items are those that an input names, each once.
func (a *API) items(in input) ([]worker.Item, error) {
	var list []worker.Item
	for _, tag := range in.items {
		if err := checkTag(tag); err != nil {
			return nil, bad("bad_tag", err.Error())
		}
		if item := (worker.Item{Tag: tag}); !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list, nil
}

// isWordPress reports whether a request was sent by WordPress, all of whose
// plugins send that name unless somebody has changed it.
func isWordPress(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "WordPress/") }

// itemsAt returns the items that pages are about, for a plugin of WordPress that
// names addresses and nothing else. Many a one sends the new address of a post and
// forgets the old one, or the category that the post has left: what it forgets
// is found by the item. Of a page that was never published only the CMS can tell
// what it is about.
//
// When the ledger does not answer there are none: the pages themselves count.
func (a *API) itemsAt(ctx context.Context, t worker.Trigger) []worker.Item {
	r, ok := a.routes.(Resolver)
	if !ok || len(t.Items) > 0 || !r.Resolves() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookUpTime)
	defer cancel()
	var list []worker.Item
	for _, p := range t.Paths[:min(len(t.Paths), mostLookedUp)] {
		if !a.site.Matches(p) {
			continue
		}
		s, err := a.state.State(ctx, p)
		if err != nil {
			return nil
		}
		tag := ""
		if s.Page != nil {
			tag = renderer.ItemOf(s.Page.Tags)
		}
		if tag == "" && (s.Page == nil || s.Page.Gone) {
			tag = renderer.ItemAt(p)
		}
		if item := (worker.Item{Tag: tag}); tag != "" && !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

// isLookedFor reports whether a label is that of an item that nobody has named:
// the address may be that of nothing.
func isLookedFor(l ledger.Label) bool {
	return strings.HasPrefix(string(l), string(ledger.Item(renderer.ItemAt(storage.Path{}))))
}

// isItem reports whether a label is that of an item.
func isItem(l ledger.Label) bool { return strings.HasPrefix(string(l), string(ledger.Item(""))) }
