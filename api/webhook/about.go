package webhook

import (
	"fmt"

	"rebake/storage"
)

// named are where senders say what sort of event it is: headers first, since
// those that send one have another meaning for the fields.
var (
	namedInHeaders = []string{"x-github-event", "x-gitlab-event", "x-contentful-topic", "x-wc-webhook-topic", "x-wp-webhook-name", "x-strapi-event"}
	namedInBody    = []string{"event", "event_type", "type", "operation", "action"}
)

// About says for people which event it was, in its sender's words, and what of:
// an item, else a page. Either is "" when that cannot be told.
func (h *Hook) About(e Event, r Reading) (event, about string) {
	items, paths := r.Items, r.Paths
	_ = storage.Contain(func() error { // a reader that panics is why some are parked
		own, err := h.kind.read(e)
		if err == nil && len(items) == 0 {
			items = own.Items
		}
		return err
	})
	switch {
	case len(items) > 0:
		about = items[0].Tag + others(len(items))
	case len(paths) > 0:
		about = paths[0] + others(len(paths))
	}
	return eventName(e), about
}

func eventName(e Event) string {
	for _, name := range namedInHeaders {
		if s, _ := e.Header[name].(string); s != "" {
			return s
		}
	}
	body, several := e.Body, ""
	if list, _ := at(body, "events").([]any); len(list) > 0 { // of Rebake's plugin
		body, several = list[0], others(len(list))
	}
	for _, name := range namedInBody {
		if s, _ := at(body, name).(string); s != "" {
			return s + several
		}
	}
	return ""
}

// others says that a list has more than the one that was named.
func others(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n-1)
}
