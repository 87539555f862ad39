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
	return Change{Items: []worker.Item{i}, Tags: []string{kind}}, nil
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

// ignored is what becomes of an event that no page can show.
func ignored(format string, args ...any) (Change, error) {
	return Change{Message: fmt.Sprintf(format, args...)}, nil
}
