package api

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// input is what a request to /api/revalidate says, in any of the shapes that
// its callers use: a query, a form, or JSON.
type input struct {
	secrets       []string
	paths         []string // decoded, or in the URL form where escaped says so
	escapedPaths  []string
	slugs         []string
	itemSlugs     []string // of items that have a tag, too
	tags          []string
	items         []string // by the tags that pages showing them have
	prefixes      []string // decoded
	escapedPrefix []string
	wait          string
	recheck       string
	onlyGenerated string
	all           bool // every page of the site
	// invalid is a field of the wrong type. It is told to nobody who has no
	// right to ask.
	invalid error
	// useless is a field about an item, or a tag, that says nothing. It is told
	// when nothing else in the request names a page either.
	useless error
}

// readInput reads the query and the body.
func (a *API) readInput(w http.ResponseWriter, r *http.Request) (input, error) {
	in := input{secrets: headerSecrets(r)}
	query, err := parseQuery(r)
	if err != nil {
		return in, err
	}
	in.addValues(query)
	body, err := a.readBody(w, r)
	if err != nil {
		return in, err
	}
	return in, in.addBody(r.Header.Get("Content-Type"), body)
}

// parseQuery refuses a query that it cannot read; URL.Query would drop what it
// cannot read and go on.
func parseQuery(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, bad("bad_query", "the query cannot be read: a % must be followed by two hex digits, and ; separates nothing")
	}
	return query, nil
}

// readBody reads a body of bounded size. One that does not come, or ends
// early, is the sender's error.
func (a *API) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return a.readAtMost(w, r, a.cfg.MaxBody)
}

func (a *API) readAtMost(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "" {
		return nil, &badRequest{http.StatusUnsupportedMediaType, "encoding", "send the body without Content-Encoding"}
	}
	held, _ := r.Context().Value(bodyKey{}).(*body)
	text, err := held.read(http.MaxBytesReader(w, r.Body, most), r.ContentLength)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errNoRoom):
		return nil, errBusyBodies
	case err != nil && !errors.As(err, &tooLarge):
		return nil, bad("bad_body", "the body did not come to its end")
	}
	return text, err
}

// addBody takes JSON for what it is, whatever the header says: WordPress sends
// it as a form when a plugin forgets to set the type.
func (in *input) addBody(contentType string, body []byte) error {
	text := strings.TrimSpace(string(body))
	if text == "" {
		return nil
	}
	t, _, _ := mime.ParseMediaType(contentType)
	if strings.HasPrefix(text, "{") || t == "application/json" || strings.HasSuffix(t, "+json") {
		return in.addJSON([]byte(text))
	}
	if t != "application/x-www-form-urlencoded" {
		return &badRequest{http.StatusUnsupportedMediaType, "content_type", "send JSON, or a form as application/x-www-form-urlencoded"}
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return bad("bad_form", "the form cannot be read")
	}
	in.addValues(form)
	return nil
}

func (in *input) addValues(v url.Values) {
	in.secrets = append(in.secrets, slices.Concat(v["secret"], v["token"])...)
	in.paths = append(in.paths, v["path"]...)
	in.slugs = append(in.slugs, v["slug"]...)
	in.prefixes = append(in.prefixes, v["prefix"]...)
	in.addTags(slices.Concat(v["tag"], v["tags"]))
	in.addItem("post", v.Get("postId"))
	in.addItem("post", v.Get("post_id"))
	in.addItem(v.Get("contentType"), v.Get("contentId"))
	set(&in.wait, v.Get("wait"))
	set(&in.recheck, v.Get("recheck"))
	set(&in.onlyGenerated, v.Get("only_generated"))
}

var errEmptyTag = bad("bad_tag", "a tag is empty")

// addTags takes lists that are separated by commas, as Drupal sends them. An
// empty line in a plugin's settings makes an empty tag.
func (in *input) addTags(lists []string) {
	for _, list := range lists {
		for tag := range strings.SplitSeq(list, ",") {
			if tag = strings.TrimSpace(tag); tag == "" {
				in.useless = errEmptyTag
				continue
			}
			in.tags = append(in.tags, tag)
		}
	}
}

// itemNames are kinds of items that senders call by another name than
// WordPress' own, by which pages are tagged.
var itemNames = map[string]string{"tag": "post_tag", "author": "user", "attachment": "media"}

// everywhere are kinds of items that every page shows, or may show: menus, and
// what a theme of blocks is made of.
var everywhere = map[string]bool{
	"menu": true, "nav_menu": true, "nav_menu_item": true, "wp_navigation": true,
	"wp_template": true, "wp_template_part": true, "wp_global_styles": true, "wp_block": true,
}

// addItem takes what a CMS calls an item by the tag that pages showing it have:
// "post:42". The button for everything of the plugin of next-wp says the kind
// "all", and no id. The sender's own name for a kind is a tag as well, since
// routes may have made that of it.
func (in *input) addItem(kind, id string) {
	switch {
	case kind == "all" && id == "" || everywhere[kind]:
		in.all = true
	case kind == "" || id == "" || kind == "revision":
	case itemNames[kind] != "":
		in.tags = append(in.tags, kind+":"+id)
		in.items = append(in.items, itemNames[kind]+":"+id)
	default:
		in.items = append(in.items, kind+":"+id)
	}
}

func set(to *string, v string) {
	if v != "" {
		*to = v
	}
}

// parseWait reads "1", "true" or a duration.
func parseWait(s string, most time.Duration) (time.Duration, error) {
	switch s {
	case "", "0", "false":
		return 0, nil
	case "1", "true":
		return min(20*time.Second, most), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > most {
		return 0, bad("bad_wait", fmt.Sprintf("wait=%.40q: use 1, or a duration of at most %s, such as 20s", s, most))
	}
	return d, nil
}

func parseSwitch(name, s string, otherwise bool) (bool, error) {
	switch s {
	case "":
		return otherwise, nil
	case "1", "true", "on":
		return true, nil
	case "0", "false", "off":
		return false, nil
	}
	return false, bad("bad_"+name, fmt.Sprintf("%s=%.40q: use 1 or 0", name, s))
}
