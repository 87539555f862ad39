package webhook

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// readContentful reads an entry or an asset, or what is left of one that was
// unpublished, which has no fields. A release or a bulk action has an event for
// each entry, too; of an alias that has come to mean another environment nobody
// hears what is different there.
func readContentful(e Event) (Change, error) {
	topic, _ := e.Header["x-contentful-topic"].(string)
	of, action, _ := strings.Cut(strings.TrimPrefix(topic, "ContentManagement."), ".")
	sys := at(e.Body, "sys")
	kind, id := word(sys, "contentType", "sys", "id"), word(sys, "id")
	version := word(sys, "revision")
	switch sort := first(word(sys, "type"), of); sort {
	case "Entry":
	case "Asset":
		kind = "asset"
	case "DeletedEntry":
		version = ""
	case "DeletedAsset":
		kind, version = "asset", ""
	case "ContentType", "DeletedContentType", "EnvironmentAlias":
		if sort == "ContentType" && (action == "create" || action == "save") {
			return ignored("%s changes no page", name(topic))
		}
		return everything(topic)
	case "": // neither says what it is of
		return unknown(topic, "", "")
	default:
		return ignored("%s changes no page", name(topic))
	}
	switch action {
	case "", "publish":
	case "unpublish", "delete":
		version = ""
	case "create", "save", "auto_save", "archive", "unarchive":
		return ignored("%s changes no page", name(topic))
	default:
		return unknown(topic, kind, id)
	}
	return one(kind, id, version)
}

// readSanity reads what the webhook's projection sends: it has to hold _id and
// _type.
func readSanity(e Event) (Change, error) {
	id := word(e.Body, "_id")
	if strings.HasPrefix(id, "drafts.") || strings.HasPrefix(id, "versions.") {
		return ignored("a draft was saved, which no page shows")
	}
	version := first(word(e.Body, "_updatedAt"), word(e.Body, "_rev"))
	operation, _ := e.Header["sanity-operation"].(string)
	if first(word(e.Body, "operation"), operation) == "delete" {
		version = ""
	}
	c, err := one(word(e.Body, "_type"), id, version)
	if err != nil {
		return c, fmt.Errorf("%w; the projection of the webhook must hold _id and _type", err)
	}
	return c, nil
}

// readStoryblok reads {"action", "story_id", "full_slug"}. The slug is the path
// of the page, as Storyblok shows it to editors. What else there is to be told
// has an id of its own; the names of actions have changed over the years. A
// merged release and a deployed stage publish many stories, and name none; the
// entries of a datasource can be in any.
func readStoryblok(e Event) (Change, error) {
	action := word(e.Body, "action")
	named := func(name string) bool { return word(e.Body, name) != "" }
	switch id := word(e.Body, "story_id"); {
	case id != "":
		c, err := one("story", id, "")
		switch slug := word(e.Body, "full_slug"); slug {
		case "":
		case "home":
			c.Paths = []string{"/"}
		default:
			c.Paths = []string{"/" + strings.Trim(slug, "/")}
		}
		return c, err
	case named("release_id"), named("branch_id"), named("datasource_id"), named("datasource_slug"),
		slices.Contains([]string{"merged", "release_merged", "deployed", "branch_deployed", "entries_updated", "datasource_entry_saved"}, action):
		return everything(action)
	case named("asset_id"):
		return one("asset", word(e.Body, "asset_id"), "")
	case named("user_id"), named("workflow_name"), named("discussion_id"):
		return ignored("%s changes no page", name(action))
	}
	return unknown(action, "", "")
}

// readPrismic reads {"type": "api-update", "documents": [ids]}, and the
// documents of a release that is no more, since it is published then. Without
// any, another master ref, or a type that has changed, is about all of them.
func readPrismic(e Event) (Change, error) {
	switch kind := word(e.Body, "type"); kind {
	case "api-update":
	case "test-trigger":
		return ignored("the test has come through")
	default:
		return unknown(kind, "", "")
	}
	ids := words(e.Body, "documents")
	released, _ := at(e.Body, "releases", "deletion").([]any)
	for _, release := range released {
		ids = append(ids, words(release, "documents")...)
	}
	c := Change{}
	for _, id := range unique(ids) {
		doc, _ := one("document", id, "")
		c.Items, c.Kinds = append(c.Items, doc.Items...), doc.Kinds
	}
	masks, _ := at(e.Body, "masks").(map[string]any)
	switch {
	case len(c.Items) > 0:
		return c, nil
	case word(e.Body, "masterRef") != "" || len(masks) > 0:
		return everything("api-update")
	}
	return ignored("no published document has changed")
}

// readHygraph reads {"operation", "data": {"__typename", "id", "updatedAt"}}.
func readHygraph(e Event) (Change, error) {
	data := at(e.Body, "data")
	version := word(data, "updatedAt")
	switch operation := word(e.Body, "operation"); operation {
	case "publish":
	case "unpublish", "delete":
		version = ""
	case "create", "update":
		if word(data, "stage") != "PUBLISHED" {
			return ignored("a draft was saved, which no page shows")
		}
	case "":
		return Change{}, errors.New("names no operation; does the webhook send its payload?")
	default:
		return unknown(operation, word(data, "__typename"), word(data, "id"))
	}
	return one(word(data, "__typename"), word(data, "id"), version)
}

// readDatoCMS reads cache tags, which are those of pages as they are, and
// records and uploads. A model that has changed gives all its records another
// form, and an environment that is promoted is other content altogether.
func readDatoCMS(e Event) (Change, error) {
	entity, event := at(e.Body, "entity"), word(e.Body, "event_type")
	version := word(entity, "meta", "updated_at")
	if event == "unpublish" || event == "delete" {
		version = ""
	}
	switch kind := word(e.Body, "entity_type"); kind {
	case "cda_cache_tags":
		c := Change{Tags: words(entity, "attributes", "tags")}
		if c.IsZero() {
			return unknown(kind+" without tags", "", "")
		}
		return c, nil
	case "item":
		if status := word(entity, "meta", "status"); event == "create" && status == "draft" || event == "update" && status == "draft" {
			return ignored("a draft was saved, which no page shows")
		}
		if event == "create" || event == "update" {
			version = "" // of an update that is not published yet, no page shows it
		}
		return one("record", word(entity, "id"), version)
	case "upload":
		return one("upload", word(entity, "id"), version)
	case "item_type":
		if event == "create" {
			return ignored("a model has no records yet")
		}
		return everything("item_type " + event)
	case "environment":
		if event == "promote" {
			return everything("environment promote")
		}
		return ignored("an environment that is not the primary one is on no page")
	case "build_trigger", "maintenance_mode", "sso_user":
		return ignored("%s changes no page", name(kind))
	default:
		return unknown(kind+" "+event, "", "")
	}
}

// readPush reads nothing of a push: which pages a file makes only rules know.
func readPush(e Event) (Change, error) {
	if ping, _ := e.Header["x-github-event"].(string); ping == "ping" {
		return ignored("the ping has come through")
	}
	return Change{}, nil
}
