package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"rebake/worker"
)

// wpVersion is the newest form of the plugin's requests that is known here.
const wpVersion = 1

// wpRequest is what our plugin for WordPress sends: everything that one request
// to WordPress has changed, or a question.
type wpRequest struct {
	Source  string            `json:"source"`
	Version wpNumber          `json:"version"`
	Home    string            `json:"home"`
	At      string            `json:"at"`
	Events  []json.RawMessage `json:"events"`
	Ask     wpTexts           `json:"ask"`
}

// wpEvent is one thing that has changed. Which fields it has depends on Type.
type wpEvent struct {
	Type     string   `json:"type"`
	ID       wpNumber `json:"id"`
	PostType string   `json:"post_type"`
	RESTBase string   `json:"rest_base"`
	Taxonomy string   `json:"taxonomy"`
	Modified string   `json:"modified_gmt"`
	What     string   `json:"what"`
	Post     wpNumber `json:"post"`
	// Listed says that more has changed than the item's own text: lists have it
	// in another place, or not at all any more.
	Listed bool `json:"listed"`

	Author    wpNumber `json:"author"`
	OldAuthor wpNumber `json:"old_author"`
	Terms     wpTexts  `json:"terms"`
	OldTerms  wpTexts  `json:"old_terms"`

	Links          wpTexts `json:"links"`
	OldLinks       wpTexts `json:"old_links"`
	Archives       wpTexts `json:"archives"`
	OldArchives    wpTexts `json:"old_archives"`
	Descendants    wpTexts `json:"descendants"`
	OldDescendants wpTexts `json:"old_descendants"`
}

// readWordPress reads a request of our plugin for WordPress. An event that
// cannot be read, that names no item, or that is of a type which is not known
// and names no page, is an error. It does not keep the others from being heard,
// nor what can be read of itself.
func readWordPress(e Event) (Change, error) {
	var req wpRequest
	if err := json.Unmarshal(e.Raw, &req); err != nil {
		return Change{}, fmt.Errorf("read the plugin's request: %w", err)
	}
	switch {
	case req.Source != "wordpress":
		return Change{}, fmt.Errorf("read the plugin's request: source is %.40q and not wordpress", req.Source)
	case len(req.Ask) > 0:
		return Change{Ask: req.Ask}, nil
	case len(req.Events) == 0:
		return Change{}, errors.New("read the plugin's request: it holds no events")
	}
	r := wpReader{source: e.Source, home: req.Home}
	if req.Version > wpVersion {
		r.say("the plugin is newer than Rebake, which reads its requests up to version %d", wpVersion)
	}
	for i, raw := range req.Events {
		var event wpEvent
		err := json.Unmarshal(raw, &event)
		if err != nil {
			r.fail("event %d cannot be read: %s", i+1, misfit(err))
		}
		if err == nil || event.Type != "" { // a field of another type leaves the others
			r.read(event)
		}
	}
	c := r.change()
	c.Edited, _ = time.Parse(time.RFC3339, req.At) // older plugins do not say it
	return c, r.err()
}

// misfit says what in an event is of another type than it has to be.
func misfit(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return err.Error()
	case wrong.Field == "":
		return "it is a " + wrong.Value + " and no object"
	default:
		return "its " + wrong.Field + " is a " + wrong.Value
	}
}

// wpReader gathers what the events of one request have changed.
type wpReader struct {
	source string // its name in rebake.yaml, by which tags name its lists
	home   string
	got    Change
	said   []string
	unsaid int // what else there was to be said
	// failed are the events that were lost, or parts of them, and unknown the
	// types of those of which nothing could be made.
	failed, unknown []string
}

// mostSaid is how much is said about one request.
const mostSaid = 5

func (r *wpReader) read(e wpEvent) {
	switch e.Type {
	case "post":
		r.post(e)
	case "term":
		r.term(e)
	case "user":
		r.item("user", e)
		r.pages(e.Links)
		r.known(e.OldLinks)
		r.archive("user", e.ID)
		r.parts(e.Links, e.OldLinks)
	case "media":
		r.item("media", e)
		r.pages(e.Links)
		r.known(e.OldLinks)
	case "comment":
		r.comment(e)
	case "manual":
		r.pages(e.Links)
	case "site", "all":
		r.got.All = true
	case "test":
		r.got.Home = r.home
		r.say("the test has come through")
	default:
		r.other(e)
	}
}

// other is an event of a newer plugin.
func (r *wpReader) other(e wpEvent) {
	r.pages(e.Links, e.Descendants)
	r.known(e.OldLinks, e.OldDescendants, e.Archives, e.OldArchives)
	switch name := fmt.Sprintf("%.40q", e.Type); {
	case len(e.Links)+len(e.OldLinks)+len(e.Archives)+len(e.OldArchives) > 0:
		r.say("an event of the type %s is not known; the pages that it names are looked at", name)
	case !slices.Contains(r.unknown, name) && len(r.unknown) < mostSaid:
		r.unknown = append(r.unknown, name)
	}
}

// post is about a post of any type. Its lists are looked at where it is listed
// now, and where it was.
func (r *wpReader) post(e wpEvent) {
	if e.PostType == "attachment" {
		e.PostType = "media"
	}
	r.item(e.PostType, e)
	r.pages(e.Links, e.Descendants)
	r.known(e.OldLinks, e.OldDescendants, e.Archives, e.OldArchives)
	r.feeds(e.Links, e.Archives, e.OldArchives)
	r.near(e.Links, e.OldLinks)
	if !e.Listed {
		return
	}
	r.parts(e.Archives, e.OldArchives)
	r.list(e.RESTBase)
	for _, term := range slices.Concat(e.Terms, e.OldTerms) {
		if taxonomy, id, _ := strings.Cut(term, ":"); wpKey.MatchString(taxonomy) && wpID.MatchString(id) {
			r.got.Tags = append(r.got.Tags, "archive:"+term)
		}
	}
	r.archive("user", e.Author)
	r.archive("user", e.OldAuthor)
	if wpKey.MatchString(e.PostType) {
		r.atHome("/wp-sitemap.xml", "/wp-sitemap-posts-"+url.PathEscape(e.PostType)+"-1.xml")
	}
}

// term is about a category, a tag, or what else posts are sorted by.
func (r *wpReader) term(e wpEvent) {
	r.item(e.Taxonomy, e)
	r.pages(e.Links)
	r.known(e.OldLinks, e.Archives, e.OldArchives)
	r.feeds(e.Links, e.OldLinks)
	r.parts(e.Links, e.OldLinks)
	r.archive(e.Taxonomy, e.ID)
	if wpKey.MatchString(e.Taxonomy) {
		r.atHome("/wp-sitemap.xml", "/wp-sitemap-taxonomies-"+url.PathEscape(e.Taxonomy)+"-1.xml")
	}
}

// comment is about the page that shows it, and about those that say how many
// the post has.
func (r *wpReader) comment(e wpEvent) {
	r.pages(e.Links)
	if wpKey.MatchString(e.PostType) && e.Post > 0 {
		r.got.Tags = append(r.got.Tags, fmt.Sprintf("%s:%d", e.PostType, e.Post))
	}
	r.feeds(e.Links)
	r.atHome("/comments/feed")
	r.list("comments")
}

// item is what changed, by the tag of the pages that show it.
func (r *wpReader) item(kind string, e wpEvent) {
	if !wpKey.MatchString(kind) || e.ID < 1 {
		r.fail("an event of the type %s names no item: %.40q %d", e.Type, kind, e.ID)
		return
	}
	r.got.Items = append(r.got.Items, worker.Item{Tag: fmt.Sprintf("%s:%d", kind, e.ID), Version: e.Modified})
}

// list names the pages that show a list of a collection.
func (r *wpReader) list(base string) {
	if wpKey.MatchString(base) {
		r.got.Tags = append(r.got.Tags, "list:"+r.source+"/"+base)
	}
}

// archive names all parts of an archive.
func (r *wpReader) archive(of string, id wpNumber) {
	if wpKey.MatchString(of) && id > 0 {
		r.got.Tags = append(r.got.Tags, fmt.Sprintf("archive:%s:%d", of, id))
	}
}

func (r *wpReader) pages(lists ...wpTexts) { r.got.Paths = append(r.got.Paths, r.clean(lists)...) }

// known are addresses that only matter where they were published once: those
// that nothing has any more, and lists.
func (r *wpReader) known(lists ...wpTexts) { r.got.Known = append(r.got.Known, r.clean(lists)...) }

// feeds are those of pages and of archives.
func (r *wpReader) feeds(lists ...wpTexts) {
	for _, link := range r.clean(lists) {
		r.got.Known = append(r.got.Known, strings.TrimSuffix(link, "/")+"/feed")
	}
}

// parts are what follows the first page of an archive.
func (r *wpReader) parts(lists ...wpTexts) {
	for _, link := range r.clean(lists) {
		r.got.Prefixes = append(r.got.Prefixes, strings.TrimSuffix(link, "/")+"/page")
	}
}

// near names the pages that lead to these as to the post before or after them.
func (r *wpReader) near(lists ...wpTexts) {
	for _, link := range r.clean(lists) {
		if u, err := url.Parse(link); err == nil && strings.Trim(u.Path, "/") != "" {
			r.got.Tags = append(r.got.Tags, "near:"+strings.TrimSuffix(u.Path, "/"))
		}
	}
}

func (r *wpReader) atHome(paths ...string) {
	for _, path := range paths {
		r.got.Known = append(r.got.Known, strings.TrimSuffix(r.home, "/")+path)
	}
}

// clean leaves out what is no page's address: with a query it is how WordPress
// finds a post that has no address, or is not public.
func (r *wpReader) clean(lists []wpTexts) []string {
	var links []string
	for _, link := range slices.Concat(lists...) {
		if strings.ContainsAny(link, "?#") {
			r.say("%.100q is no page's address", link)
			continue
		}
		links = append(links, link)
	}
	return links
}

func (r *wpReader) say(format string, args ...any) {
	switch text := fmt.Sprintf(format, args...); {
	case slices.Contains(r.said, text):
	case len(r.said) < mostSaid:
		r.said = append(r.said, text)
	default:
		r.unsaid++
	}
}

// fail notes what a person has to look at.
func (r *wpReader) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.failed, text) && len(r.failed) < mostSaid {
		r.failed = append(r.failed, text)
	}
}

// err is what was lost of the request.
func (r *wpReader) err() error {
	failed := r.failed
	if len(r.unknown) > 0 {
		failed = append(failed, "events of a type that is not known, and that name no page: "+strings.Join(r.unknown, ", "))
	}
	if len(failed) == 0 {
		return nil
	}
	return errors.New(strings.Join(failed, "; "))
}

// change is all of it, each thing once.
func (r *wpReader) change() Change {
	c := r.got
	c.Paths, c.Prefixes, c.Tags = unique(c.Paths), unique(c.Prefixes), unique(c.Tags)
	c.Known = unique(slices.Concat(c.Paths, c.Known))[len(c.Paths):] // none that is among the paths
	c.Items = newest(c.Items)
	if r.unsaid > 0 {
		r.said = append(r.said, fmt.Sprintf("and %d more", r.unsaid))
	}
	c.Message = strings.Join(r.said, "; ")
	return c
}

var (
	// wpKey is the name of a type or a taxonomy. WordPress takes any 32 bytes for
	// a taxonomy; shops make some of the names of attributes, in any language.
	wpKey = regexp.MustCompile(`^[\pL\pM\pN_.-]{1,32}$`)
	wpID  = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
)
