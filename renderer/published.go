package renderer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rebake/storage"
)

// everybodys turns what WordPress tells whom it knows into what it tells
// everybody: a source may have credentials, for menus or settings, and is then
// shown drafts too, and the text of posts that have a password, when a get asks
// for them. Items that are not public are taken out of lists and of what is
// embedded; in the place of a single one it is a *storage.GoneError. Refusing
// the whole page instead would leave the old one standing, with the text that
// somebody has just withdrawn.
//
// collection is what was asked for: "posts". v is changed: nobody else may have
// it yet.
func everybodys(v any, collection string) (any, error) {
	switch v := v.(type) {
	case []any:
		return everybodysList(v, collection), nil
	case map[string]any:
		if !isPublic(v, collection) {
			return nil, &storage.GoneError{Reason: fmt.Sprintf("its status is %v, which not everybody may read", v["status"])}
		}
		hideText(v)
		embedded, _ := v["_embedded"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(embedded)) {
			if list, ok := embedded[name].([]any); ok {
				embedded[name] = everybodysList(list, "") // these say themselves what they are
			}
		}
	}
	return v, nil
}

// everybodysList is everybodys for each item; wp:term is a list of lists.
func everybodysList(list []any, collection string) []any {
	kept := list[:0]
	for _, item := range list {
		if item, err := everybodys(item, collection); err == nil {
			kept = append(kept, item)
		}
	}
	return kept
}

// isPublic reports whether an object is one that everybody may read. Who has
// no status is not kept back: terms, users, menus. Where _fields leave out its
// type, that is what the collection has.
func isPublic(item map[string]any, collection string) bool {
	status, ok := item["status"].(string)
	if _, hasID := item["id"]; !ok || !hasID {
		return true
	}
	of, _, _ := strings.Cut(collection, "/")
	kind, typed := item["type"].(string)
	switch status {
	case "publish":
		return true
	case "inherit": // as that of a revision, which is for its editors
		return kind == "attachment" || !typed && of == "media"
	case "approved": // as are other things that plugins keep as comments, such as notes on orders
		return slices.Contains(commentTypes, kind) || !typed && of == "comments"
	}
	return false
}

// commentTypes are the comments that everybody may read.
var commentTypes = []string{"comment", "pingback", "trackback"}

// hideText empties what a password protects, as WordPress does for those who
// have not said it: what is left is a page that says so.
func hideText(item map[string]any) {
	for _, field := range []string{"content", "excerpt"} {
		text, _ := item[field].(map[string]any)
		if text["protected"] != true {
			continue
		}
		for _, form := range []string{"rendered", "raw"} {
			if _, has := text[form]; has {
				text[form] = ""
			}
		}
	}
}
