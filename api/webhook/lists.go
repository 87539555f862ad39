package webhook

import "strings"

// lists returns the tags of pages that show a list of what the items are, where
// the webhook is a source's own: a page gets the tag "list:SOURCE/PATH" for each
// list that it fetches. An event names the kind, and not the path, so these are
// the ways in which the CMSs make one of the other. A tag that no page has does
// nothing.
func lists(source string, c Change) []string {
	tags := []string{"list:" + source + "/"} // of GraphQL, whose queries have no path
	seen := map[string]bool{}
	for _, item := range c.Items {
		kind, _, _ := strings.Cut(item.Tag, ":")
		if seen[kind] {
			continue
		}
		seen[kind] = true
		for _, name := range []string{kind, plural(kind), "items/" + kind} {
			tags = append(tags, "list:"+source+"/"+name)
		}
	}
	return tags
}

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
