package webhook

import (
	"errors"
	"slices"
	"strings"

	"rebake/worker"
)

// readStrapi reads {"event", "model", "entry": {"documentId", "updatedAt",
// "publishedAt"}}. A publish is an update and a publish within milliseconds,
// and the entry of a publish is sometimes null. Types without Draft & Publish
// have no publishedAt, and what is saved of them is public at once; Strapi 3
// calls it published_at.
func readStrapi(e Event) (Change, error) {
	event, model := word(e.Body, "event"), word(e.Body, "model")
	id := first(word(e.Body, "entry", "documentId"), word(e.Body, "entry", "id"))
	version := word(e.Body, "entry", "updatedAt")
	switch event {
	case "entry.publish":
	case "entry.unpublish", "entry.delete":
		version = "" // there will be none to compare with
	case "entry.create", "entry.update":
		for _, date := range []string{"publishedAt", "published_at"} {
			if entry := at(e.Body, "entry"); has(entry, date) && at(entry, date) == nil {
				return ignored("a draft was saved, which no page shows")
			}
		}
	case "media.create", "media.update", "media.delete":
		return one("media", word(e.Body, "media", "id"), word(e.Body, "media", "updatedAt"))
	case "releases.publish": // the events of its entries are others, which one need not ask for
		if at(e.Body, "isPublished") == false {
			return ignored("a release was not published")
		}
		return everything(event)
	case "entry.draft-discard", "review-workflows.updateEntryStage", "trigger-test":
		return ignored("%s changes no page", name(event))
	default:
		return unknown(event, model, id)
	}
	if id == "" && model != "" {
		return Change{Kinds: []string{model}, Message: "the event does not say which entry; pages with the tag " + model + " are looked at"}, nil
	}
	return one(model, id, version)
}

// readGhost reads {"event", "post"|"page"|"tag": {"current", "previous"}}. What
// is deleted has an empty current.
func readGhost(e Event) (Change, error) {
	for _, kind := range []string{"post", "page", "tag", "member"} {
		both := at(e.Body, kind)
		if both == nil {
			continue
		}
		id := first(word(both, "current", "id"), word(both, "previous", "id"))
		status := first(word(both, "current", "status"), word(both, "previous", "status"))
		switch {
		case kind == "member":
			return ignored("members are on no page")
		case kind != "tag" && (status == "draft" || status == "scheduled") && word(both, "previous", "status") != "published":
			return ignored("a draft was saved, which no page shows")
		}
		version := word(both, "current", "updated_at")
		if status != "published" {
			version = ""
		}
		c, err := one(kind, id, version)
		if url := word(both, "current", "url"); url != "" && status == "published" {
			c.Paths = append(c.Paths, url)
		}
		return c, err
	}
	event := word(e.Body, "event")
	if fields, isObject := e.Body.(map[string]any); event == "site.changed" || isObject && len(fields) == 0 { // before Ghost 6
		return Change{All: true}, nil
	}
	return unknown(event, "", "")
}

// readDirectus reads what a flow is documented to send: {"event", "collection",
// "key" or "keys", "payload"}.
func readDirectus(e Event) (Change, error) {
	body := e.Body
	if trigger := at(body, "$trigger"); trigger != nil {
		body = trigger
	}
	collection := word(body, "collection")
	if event := word(body, "event"); collection == "" && strings.Contains(event, ".items.") {
		collection, _, _ = strings.Cut(event, ".items.")
	}
	keys := slices.Concat(words(body, "keys"), words(body, "key"), words(body, "item")) // item: of sort and promote
	if deleted, isList := at(body, "payload").([]any); isList {
		keys = append(keys, words(deleted)...)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(keys) == 0 {
		return one(collection, "", "")
	}
	c := Change{Kinds: []string{collection}}
	for _, key := range keys {
		i, ok := item(collection, key, "")
		if !ok {
			return one(collection, key, "")
		}
		c.Items = append(c.Items, i)
	}
	return c, nil
}

// readPayload reads what a hook of the user's is documented to send:
// {"collection", "doc": {"id", "updatedAt", "_status"}}, and what readPlain does.
func readPayload(e Event) (Change, error) {
	kind := first(word(e.Body, "collection"), word(e.Body, "global"))
	if kind == "" {
		return readPlain(e)
	}
	draft, before := word(e.Body, "doc", "_status") == "draft", at(e.Body, "previousDoc")
	if draft && (before != nil || word(e.Body, "operation") == "create") && word(before, "_status") != "published" {
		return ignored("a draft was saved, which no page shows")
	}
	id, version := word(e.Body, "doc", "id"), word(e.Body, "doc", "updatedAt")
	if id == "" && word(e.Body, "global") != "" {
		id = kind
	}
	if draft || word(e.Body, "operation") == "delete" {
		version = "" // a draft's date is not that of what is published
	}
	c := plainly(e.Body)
	doc, err := one(kind, id, version)
	c.Items, c.Kinds = append(c.Items, doc.Items...), doc.Kinds
	return c, err
}

// readPlain reads what senders of the user's own may say without any rules:
// {"paths", "tags", "prefixes", "item", "version", "all"}, in JSON or a form.
func readPlain(e Event) (Change, error) {
	c := plainly(e.Body)
	if c.IsZero() {
		return c, errors.New("names no path, tag or item, as a text or a list of texts; add a rule that says what it means")
	}
	return c, nil
}

// plainly reads the body, and the envelope of Standard Webhooks in it: data. It
// may be that the one says something, the other, or both.
func plainly(body any) Change {
	var c Change
	for _, from := range []any{body, at(body, "data")} {
		both := func(one, many string) []string { return append(words(from, one), words(from, many)...) }
		c.Paths = append(c.Paths, both("path", "paths")...)
		c.Tags = append(c.Tags, both("tag", "tags")...)
		c.Prefixes = append(c.Prefixes, both("prefix", "prefixes")...)
		for _, tag := range both("item", "items") {
			c.Items = append(c.Items, worker.Item{Tag: tag, Version: word(from, "version")})
		}
		c.All = c.All || at(from, "all") == true || word(from, "all") == "true"
	}
	return c
}

// name shows an event's name to people.
func name(event string) string {
	if event == "" {
		return "an event without a name"
	}
	return "the event " + event
}
