package webhook

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// readKontent reads a list of notifications, each of an item by its codename.
// One that names none is an error, and does not keep the others from being
// heard.
func readKontent(e Event) (Change, error) {
	list, isList := at(e.Body, "notifications").([]any)
	if !isList {
		return readOldKontent(e)
	}
	c, nameless := Change{}, []string(nil)
	for n, notification := range list {
		system, message := at(notification, "data", "system"), at(notification, "message")
		if slot := word(message, "delivery_slot"); slot == "preview" {
			continue
		}
		object, action := word(message, "object_type"), word(message, "action")
		kind, version := word(system, "type"), word(system, "last_modified")
		switch object {
		case "content_item", "":
		case "content_type", "language": // they give all items another form
			c.All = c.All || action != "created"
			continue
		default:
			kind = object
		}
		switch action {
		case "published", "metadata_changed":
		case "term_created", "term_changed", "term_deleted", "terms_moved": // of a taxonomy
		case "created":
			continue // nothing shows it yet
		default: // unpublished, deleted, and what is not known
			version = ""
		}
		i, ok := item(kind, word(system, "codename"), version)
		if !ok {
			nameless = append(nameless, strconv.Itoa(n))
			continue
		}
		c.Items, c.Kinds = append(c.Items, i), append(c.Kinds, kind)
	}
	switch {
	case len(nameless) > 0:
		return c, fmt.Errorf("notifications name no item: number %s, from 0", strings.Join(nameless, ", "))
	case c.IsZero():
		return ignored("nothing that is published has changed")
	}
	return c, nil
}

// readOldKontent reads what webhooks that were made before 2024 send: {"data":
// {"items", "taxonomies"}, "message": {"operation", "api_name"}}.
func readOldKontent(e Event) (Change, error) {
	data := at(e.Body, "data")
	if data == nil {
		return Change{}, errors.New("it holds neither notifications nor data")
	}
	if api := word(e.Body, "message", "api_name"); api != "" && api != "delivery_production" {
		return ignored("nothing that is published has changed")
	}
	c, nameless := Change{}, []string(nil)
	for _, f := range []struct{ name, kind string }{{"items", ""}, {"taxonomies", "taxonomy"}} {
		list, _ := at(data, f.name).([]any)
		for n, v := range list {
			kind := first(f.kind, word(v, "type"))
			i, ok := item(kind, word(v, "codename"), "")
			if !ok {
				nameless = append(nameless, fmt.Sprintf("%s[%d]", f.name, n))
				continue
			}
			c.Items, c.Kinds = append(c.Items, i), append(c.Kinds, kind)
		}
	}
	switch {
	case len(nameless) > 0:
		return c, fmt.Errorf("data names no item: %s", strings.Join(nameless, ", "))
	case c.IsZero():
		return unknown(word(e.Body, "message", "operation"), "", "")
	}
	return c, nil
}
