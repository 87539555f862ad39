package webhook

import (
	"slices"
	"strings"
)

// lists returns the tags of pages that show a list of what has changed, where the
// webhook is a source's own: a page gets the tag "list:SOURCE/PATH" for each list
// that it fetches, and "list:SOURCE" for any.
type lists func(source string, kinds []string) []string

// kinds are those of all that an event names, each once.
func (c Change) kinds() []string {
	kinds := slices.Clone(c.Kinds)
	for _, item := range c.Items {
		kind, _, _ := strings.Cut(item.Tag, ":")
		kinds = append(kinds, kind)
	}
	return unique(kinds)
}

// byKind is for a CMS whose lists have a path for each kind. An event names the
// kind, and not the path, so these are the ways in which the CMSs make one of the
// other. A tag that no page has does nothing.
func byKind(source string, kinds []string) []string {
	tags := []string{"list:" + source + "/"} // of GraphQL, whose queries have no path
	for _, kind := range kinds {
		for _, name := range []string{kind, plural(kind), "api/" + kind, "api/" + plural(kind), "items/" + kind} {
			tags = append(tags, "list:"+source+"/"+name)
		}
	}
	return tags
}

// anyList is for a CMS whose lists all have one path, of which a query chooses
// the kinds.
func anyList(source string, _ []string) []string { return []string{"list:" + source} }

// plural is the plural of most English words, which is what CMSs make of a
// kind's name.
func plural(word string) string {
	for _, ending := range []string{"s", "x", "ch", "sh"} {
		if strings.HasSuffix(word, ending) {
			return word + "es"
		}
	}
	if rest, ok := strings.CutSuffix(word, "y"); ok && !strings.HasSuffix(rest, "a") && !strings.HasSuffix(rest, "e") && !strings.HasSuffix(rest, "o") {
		return rest + "ies"
	}
	return word + "s"
}
