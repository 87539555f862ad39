// Package renderer makes a page from its path.
//
// A route says which paths are its own, what to read from which source, and
// which template shows it. The renderer finds the route, fetches, executes the
// template, and hands back a storage.Page with everything that others need to
// know of it: its tags, its version, its route.
//
// A route can also have a list: all its pages, as the source names them. Who
// renders many pages goes by that, and a page from it needs no request of its
// own for what the list has told already.
//
// The pages of an origin are found in its sitemaps, and by the links of files
// that are published.
//
// A page carries tags for all that it was made of: the template files, the
// sources, and the items that it read from a source of kind wordpress
// ("post:42", "category:4", "media:12", "user:1"), so that a trigger for one
// of them finds every page that shows it. What was listed when the page was made
// is not all that it ought to list: pages with lists have tags for those too
// ("list:cms/posts", "list:cms", and of an origin "archive:category:4"), and
// Resolve asks WordPress where an item belongs now.
//
// It guarantees that a page is complete or is not there: a fetch that failed,
// a template that stopped half-way, a page that is too large, are errors and
// never a page. Text from a source is escaped unless the template says
// otherwise, and is never executed. Every mistake in a route is found when the
// renderer is made, not when the page is asked for.
//
// It does not retry, write files, or know of the queue: what an error means
// for the page is said by its type (storage/errors.go) and decided above.
package renderer
