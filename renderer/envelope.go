package renderer

import (
	"fmt"
	"strings"
)

// unopened says more about a template that does not find a name: that an entry
// with `one` took the whole answer for its item, and that a list lies inside.
// Before the template fails nobody can tell: {"items": […]} may be a menu, which
// is one item.
func (rt *route) unopened(data map[string]any, err error) error {
	if !strings.Contains(err.Error(), "map has no entry for key") {
		return err
	}
	for _, f := range rt.fetches {
		if where := enveloped(data[f.name]); f.one && !f.items.Given() && where != "" {
			return fmt.Errorf("%w; the answer of data %s is an object with a list in %s: if the item is in that list, say `items: %s` beside `one: true`", err, f.name, where, where)
		}
	}
	return err
}

// enveloped returns the only member of an answer that is a list of objects, ""
// when there is none, or when the answer looks like an item itself.
func enveloped(answer any) string {
	object, _ := answer.(map[string]any)
	for _, name := range []string{"id", "slug", "title", "name"} {
		if _, ok := object[name]; ok {
			return ""
		}
	}
	where := ""
	for name, member := range object {
		list, ok := member.([]any)
		if !ok {
			continue
		}
		if where != "" || len(list) > 0 && !isObject(list[0]) {
			return ""
		}
		where = name
	}
	return where
}

func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}
