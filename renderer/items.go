package renderer

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"rebake/storage"
)

// maxItemTags is the most tags that a page gets for the items that it shows.
const maxItemTags = 500

// manyItems is the tag of a page that shows more items than it can have tags
// for. Who triggers an item by its tag, and must reach every page that shows
// it, names this tag as well.
const manyItems = "items:many"

// itemTags are the tags of the items that a page read from WordPress, by its
// own names for them: "post:42", "page:7", "category:4", "media:12", "user:1".
// A trigger for post:42 so reaches every list that shows the post, whatever
// the routes' own tags say.
type itemTags struct {
	// What the page asked for comes before what came with it (_embedded), in
	// case not all have room.
	asked, embedded []string
	versions        map[string]string // by tag; of those that say when they were modified
}

// tags returns the tags, each once, and no more than a page may have.
func (t *itemTags) tags() []string {
	all := make([]string, 0, min(len(t.asked)+len(t.embedded), maxItemTags+1))
	seen := make(map[string]bool, cap(all))
	for _, tag := range slices.Concat(t.asked, t.embedded) {
		switch {
		case seen[tag]:
		case len(all) == maxItemTags:
			return append(all, manyItems)
		default:
			seen[tag] = true
			all = append(all, tag)
		}
	}
	return all
}

// add notes the items of one data entry: a single item or a list.
func (t *itemTags) add(value any, users bool) {
	objects(value, func(item map[string]any) {
		if tag, ok := itemTag(item, users); ok {
			t.asked = append(t.asked, tag)
			t.note(tag, item)
		}
		embedded, _ := item["_embedded"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(embedded)) {
			objects(embedded[name], func(item map[string]any) {
				if tag, ok := itemTag(item, name == "author"); ok {
					t.embedded = append(t.embedded, tag)
					t.note(tag, item)
				}
			})
		}
	})
}

// note keeps the version of an item. Of one that was read twice it is the older
// one: the page may show that.
func (t *itemTags) note(tag string, item map[string]any) {
	version, _ := item["modified_gmt"].(string)
	if version == "" || len(version) > maxLabel {
		return
	}
	if known, ok := t.versions[tag]; ok {
		if order, ok := storage.CompareVersions(version, known); ok && order >= 0 {
			return
		}
	}
	if t.versions == nil {
		t.versions = make(map[string]string)
	}
	t.versions[tag] = version
}

// objects visits v, or the objects of the list that it is; wp:term is a list
// of lists.
func objects(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v)
	case []any:
		for _, item := range v {
			objects(item, visit)
		}
	}
}

// itemTag names an object of WordPress' REST API; false for one that has no
// name, such as the error in the place of an author who may not be seen.
func itemTag(item map[string]any, user bool) (string, bool) {
	id, isInt := item["id"].(int)
	if !isInt || id < 1 {
		return "", false
	}
	kind := itemKind(item)
	if kind == "" && user && item["slug"] != nil && item["link"] != nil {
		kind = "user"
	}
	if !wpKey.MatchString(kind) {
		return "", false
	}
	return fmt.Sprintf("%s:%d", kind, id), true
}

// itemKind is the item's taxonomy or post type, "" for what has neither. A
// result of a search says "post" or "term", and what it really is in subtype.
func itemKind(item map[string]any) string {
	for _, field := range []string{"taxonomy", "subtype", "type"} {
		switch kind, _ := item[field].(string); kind {
		case "":
		case "attachment":
			return "media"
		default:
			return kind
		}
	}
	return ""
}

// wpKey is what WordPress allows as the name of a post type or a taxonomy.
var wpKey = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

// asksForUsers reports whether a get is one for users, whose objects do not
// say what they are.
func asksForUsers(get string) bool {
	rest, found := strings.CutPrefix(get, "/users")
	return found && (rest == "" || strings.ContainsAny(rest[:1], "/?"))
}
