package webhook

import (
	"encoding/json"
	"fmt"
	"strconv"

	"rebake/worker"
)

// at returns what lies at a path of field names in a decoded body; nil when
// something on the way is missing or no object.
func at(v any, path ...string) any {
	for _, name := range path {
		fields, _ := v.(map[string]any)
		v = fields[name]
	}
	return v
}

// word returns a text or a whole number at a path, "" for anything else: an id
// is one or the other, by the CMS.
func word(v any, path ...string) string {
	switch v := at(v, path...).(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// words returns the texts and whole numbers of a list, or of a single one.
func words(v any, path ...string) []string {
	v = at(v, path...)
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	var texts []string
	for _, item := range list {
		if s := word(item); s != "" {
			texts = append(texts, s)
		}
	}
	return texts
}

// first returns the first of several texts that is one.
func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// item names an item of a CMS; false when the event does not say which.
func item(kind, id, version string) (worker.Item, bool) {
	return worker.Item{Tag: kind + ":" + id, Version: version}, kind != "" && id != ""
}

// one is a change of one item, and of what its kind as a whole is shown in:
// pages that list all articles can have the tag "article".
func one(kind, id, version string) (Change, error) {
	i, ok := item(kind, id, version)
	if !ok {
		return Change{}, fmt.Errorf("names no item: %s", missing(kind, id))
	}
	return Change{Items: []worker.Item{i}, Kinds: []string{kind}}, nil
}

func missing(kind, id string) string {
	switch {
	case kind == "" && id == "":
		return "neither its kind nor its id is there"
	case kind == "":
		return "its kind is not there"
	}
	return "its id is not there"
}

// has reports whether an object has a field, be it null.
func has(v any, name string) bool {
	fields, _ := v.(map[string]any)
	_, there := fields[name]
	return there
}

// unknown is what becomes of an event that is not among those of its sender
// which are known. Senders come by new ones, and one that is ignored may leave a
// page wrong for ever: what it names is looked at, at the price of a render. Of
// one that names nothing a person has to say what it means.
func unknown(event, kind, id string) (Change, error) {
	if i, ok := item(kind, id, ""); ok {
		return Change{Items: []worker.Item{i}, Kinds: []string{kind}}, nil
	}
	return Change{}, fmt.Errorf("%s is not known, and names nothing; add a rule that says what it means", name(event))
}

// everything is what becomes of an event that changes no one knows how much.
func everything(event string) (Change, error) {
	return Change{All: true, Message: name(event) + " may change every page"}, nil
}

// ignored is what becomes of an event that no page can show.
func ignored(format string, args ...any) (Change, error) {
	return Change{Message: fmt.Sprintf(format, args...)}, nil
}
