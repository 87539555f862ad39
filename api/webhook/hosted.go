package webhook

import (
	"fmt"
	"strconv"
	"strings"

	"rebake/worker"
)

// readContentful reads an entry or an asset, or what is left of one that was
// unpublished, which has no fields.
func readContentful(e Event) (Change, error) {
	topic, _ := e.Header["x-contentful-topic"].(string)
	_, action, _ := strings.Cut(strings.TrimPrefix(topic, "ContentManagement."), ".")
	sys := at(e.Body, "sys")
	kind := word(sys, "contentType", "sys", "id")
	version := word(sys, "revision")
	switch word(sys, "type") {
	case "Entry":
	case "Asset":
		kind = "asset"
	case "DeletedEntry":
		version = ""
	case "DeletedAsset":
		kind, version = "asset", ""
	default:
		return ignored("%s changes no page", name(topic))
	}
	switch action {
	case "", "publish":
	case "unpublish", "delete":
		version = ""
	default:
		return ignored("%s changes no page", name(topic))
	}
	return one(kind, word(sys, "id"), version)
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
// of the page, as Storyblok shows it to editors.
func readStoryblok(e Event) (Change, error) {
	id := word(e.Body, "story_id")
	if id == "" {
		return ignored("%s changes no page", name(word(e.Body, "action")))
	}
	c, err := one("story", id, "")
	switch slug := word(e.Body, "full_slug"); slug {
	case "":
	case "home":
		c.Paths = []string{"/"}
	default:
		c.Paths = []string{"/" + strings.Trim(slug, "/")}
	}
	return c, err
}

// readPrismic reads {"type": "api-update", "documents": [ids]}.
func readPrismic(e Event) (Change, error) {
	if word(e.Body, "type") == "test-trigger" {
		return ignored("the test has come through")
	}
	c := Change{}
	for _, id := range words(e.Body, "documents") {
		i, _ := item("document", id, "")
		c.Items = append(c.Items, i)
	}
	if len(c.Items) == 0 {
		return ignored("no published document has changed")
	}
	return c, nil
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
		return ignored("a draft was saved, which no page shows")
	default:
		return Change{}, fmt.Errorf("names no operation; does the webhook send its payload?")
	}
	return one(word(data, "__typename"), word(data, "id"), version)
}

// readDatoCMS reads cache tags, which are those of pages as they are, and
// records and uploads.
func readDatoCMS(e Event) (Change, error) {
	entity, event := at(e.Body, "entity"), word(e.Body, "event_type")
	version := word(entity, "meta", "updated_at")
	if event == "unpublish" || event == "delete" {
		version = ""
	}
	switch kind := word(e.Body, "entity_type"); kind {
	case "cda_cache_tags":
		return Change{Tags: words(entity, "attributes", "tags")}, nil
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
	default:
		return ignored("%s changes no page", name(kind))
	}
}

// readKontent reads a list of notifications, each of an item by its codename.
// One that names none is an error, and does not keep the others from being
// heard.
func readKontent(e Event) (Change, error) {
	list, _ := at(e.Body, "notifications").([]any)
	c, tagged, nameless := Change{}, map[string]bool{}, []string(nil)
	for n, notification := range list {
		system, message := at(notification, "data", "system"), at(notification, "message")
		if slot := word(message, "delivery_slot"); slot == "preview" {
			continue
		}
		version := word(system, "last_modified")
		switch word(message, "action") {
		case "published", "metadata_changed":
		case "unpublished", "deleted":
			version = ""
		default:
			continue
		}
		kind := word(system, "type")
		if object := word(message, "object_type"); object != "content_item" && object != "" {
			kind = object
		}
		i, ok := item(kind, word(system, "codename"), version)
		if !ok {
			nameless = append(nameless, strconv.Itoa(n))
			continue
		}
		c.Items = append(c.Items, worker.Item(i))
		if !tagged[kind] {
			tagged[kind] = true
			c.Tags = append(c.Tags, kind)
		}
	}
	switch {
	case len(nameless) > 0:
		return c, fmt.Errorf("notifications name no item: number %s, from 0", strings.Join(nameless, ", "))
	case len(c.Items) == 0:
		return ignored("nothing that is published has changed")
	}
	return c, nil
}

// readPush reads nothing of a push: which pages a file makes only rules know.
func readPush(e Event) (Change, error) {
	if ping, _ := e.Header["x-github-event"].(string); ping == "ping" {
		return ignored("the ping has come through")
	}
	return Change{}, nil
}
