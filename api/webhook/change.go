package webhook

import (
	"time"

	"rebake/worker"
)

// Event is a request that its sender's secret vouches for, decoded.
type Event struct {
	// Source is the webhook's name in rebake.yaml.
	Source string
	Method string
	// Header has lower-case names; of several values of one name the first.
	Header map[string]any
	// Query has the first value of each parameter.
	Query map[string]any
	// Body is the JSON of the body: objects are map[string]any, integers int,
	// and nil is no body. A form is an object of its fields.
	Body any
	// Raw is the body as it came, for a reader with a type of its own.
	Raw []byte
}

// Change is what an event has changed, in the words of its sender. Everything
// in it is a stranger's text as far as the caller is concerned: a path that is
// none, or a URL of another site, is left out and told to the sender.
type Change struct {
	// Paths are pages to be rendered, whether they were or not: paths or URLs,
	// escaped as in a URL.
	Paths []string
	// Known are pages to be rendered if they have been before: archives, lists.
	Known []string
	// Prefixes are paths or URLs whose pages are to be rendered, and all that
	// lie below them.
	Prefixes []string
	// Tags are those of pages to be rendered.
	Tags []string
	// Kinds are the sorts of what has changed: "article". Each is a tag, of pages
	// that show all of its items, and its lists are looked at where the webhook is
	// a source's own. What a hook has read has them among its Tags, and none here.
	Kinds []string
	// Items are what has changed in the CMS, with their versions. The pages
	// that show them are found by their tag, "post:42", and by asking the CMS.
	Items []worker.Item
	// Edited is that of worker.Trigger.
	Edited time.Time
	// All is every page of the site, at low priority.
	All bool
	// Ask are the URLs of pages about which the sender only wants to know how
	// they are. It stands alone: with it, nothing is triggered.
	Ask []string
	// Home is where the sender of a test believes its site to be. When it is no
	// address of this site, the sender is told what to mend.
	Home string
	// Message says for people what was made of the event, where that is not
	// plain: "a draft was saved, which no page shows".
	Message string
}

// IsZero reports whether nothing has changed as far as pages are concerned.
func (c Change) IsZero() bool {
	return len(c.Paths)+len(c.Known)+len(c.Prefixes)+len(c.Tags)+len(c.Kinds)+len(c.Items) == 0 && !c.All
}

// reader says what an event of one kind has changed. An error says what in the
// body is not as the kind sends it; the event is then kept for a person to
// look at, and the sender is told 200, since sending it again would not help.
type reader func(Event) (Change, error)
