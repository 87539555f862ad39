package origin

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"rebake/storage"
)

// Reference is an address that a page or a style sheet names.
type Reference struct {
	URL *url.URL // absolute, without a fragment
	// Asset says that it is loaded with the page; all others are places to go
	// to.
	Asset bool
}

// References calls f for every address on the web that a file names, those that
// come twice, twice. kind is the file's media type: text/html or text/css; any
// other names nothing. base is the file's own address. Links that are marked
// nofollow are passed over: they stand for what is no page to keep, such as a
// calendar without an end, or adding to a cart.
//
// The file is read as a stream, but for style sheets. The error is that of
// reading it; what cannot be parsed is passed over.
func References(file io.Reader, kind string, base *url.URL, f func(Reference)) error {
	r := references{base: base, found: f}
	var err error
	switch kind {
	case "text/html":
		err = r.html(file)
	case "text/css":
		var text []byte
		if text, err = io.ReadAll(file); err == nil {
			cssAddresses(text, r.asset)
		}
	}
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	return nil
}

// IsAsset reports whether a path is that of a file which pages load, by its
// extension, and none that a visitor goes to: a page, a feed, or text.
func IsAsset(p storage.Path) bool {
	switch p.FileType() {
	case "", "text/html", "text/plain", "text/markdown", "text/csv", "text/calendar",
		"application/xml", "application/rss+xml", "application/atom+xml", "application/json":
		return false
	}
	return true
}

// assetAttributes are where elements name what is loaded with the page. Those
// of link depend on its rel.
var assetAttributes = map[string][]string{
	"script": {"src"}, "img": {"src", "srcset"}, "source": {"src", "srcset"}, "video": {"src", "poster"}, "audio": {"src"},
	"track": {"src"}, "input": {"src"}, "embed": {"src"}, "object": {"data"}, "use": {"href", "xlink:href"}, "image": {"href", "xlink:href"},
}

var (
	assetRels = []string{"stylesheet", "icon", "apple-touch-icon", "mask-icon", "preload", "modulepreload", "manifest"}
	linkRels  = []string{"next", "prev", "alternate", "canonical"}
)

// references is one way through a file.
type references struct {
	base   *url.URL // what relative addresses are relative to
	based  bool     // a base element has said so; only the first one counts
	found  func(Reference)
	inline bool // the text that comes is a style element's
}

func (r *references) html(file io.Reader) error {
	z := html.NewTokenizer(file)
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		case html.TextToken:
			if r.inline {
				cssAddresses(z.Text(), r.asset)
			}
			r.inline = false
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			element := string(name)
			if element == "noscript" {
				z.NextIsNotRawText() // what it holds is for visitors, too
			}
			r.inline = element == "style"
			r.element(element, attributes(z, more))
		default:
			r.inline = false
		}
	}
}

// attributes are those of the tag that z stands at.
func attributes(z *html.Tokenizer, more bool) map[string]string {
	var all map[string]string
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if all == nil {
			all = make(map[string]string)
		}
		if _, twice := all[string(key)]; !twice { // browsers take the first
			all[string(key)] = string(value)
		}
	}
	return all
}

func (r *references) element(name string, attrs map[string]string) {
	cssAddresses([]byte(attrs["style"]), r.asset)
	rels := strings.Fields(strings.ToLower(attrs["rel"]))
	has := func(some []string) bool {
		return slices.ContainsFunc(rels, func(rel string) bool { return slices.Contains(some, rel) })
	}
	switch name {
	case "base":
		if href, given := attrs["href"]; given && !r.based {
			r.based = true
			if u := r.resolve(href); u != nil {
				r.base = u
			}
		}
	case "a", "area":
		if !slices.Contains(rels, "nofollow") {
			r.link(attrs["href"])
		}
	case "iframe":
		r.link(attrs["src"])
	case "link":
		if has(assetRels) {
			r.asset(attrs["href"])
			r.sourceSet(attrs["imagesrcset"])
		} else if has(linkRels) {
			r.link(attrs["href"])
		}
	}
	for _, attribute := range assetAttributes[name] {
		if attribute == "srcset" {
			r.sourceSet(attrs[attribute])
		} else {
			r.asset(attrs[attribute])
		}
	}
}

func (r *references) link(address string)  { r.name(address, false) }
func (r *references) asset(address string) { r.name(address, true) }

// sourceSet takes the addresses of several sizes of an image: "a.jpg 1x, b.jpg 2x".
// An address may hold commas, but does not end in one.
func (r *references) sourceSet(text string) {
	for {
		text = strings.TrimLeft(text, " \t\r\n\f,")
		if text == "" {
			return
		}
		end := strings.IndexAny(text, " \t\r\n\f")
		if end < 0 {
			end = len(text)
		}
		address := strings.TrimRight(text[:end], ",")
		r.asset(address)
		if text = text[end:]; len(address) == end { // a size follows, up to a comma
			_, text, _ = strings.Cut(text, ",")
		}
	}
}

func (r *references) name(address string, asset bool) {
	if address == "" {
		return
	}
	if u := r.resolve(address); u != nil {
		r.found(Reference{URL: u, Asset: asset})
	}
}

// resolve makes an address absolute; nil for what leads nowhere on the web.
func (r *references) resolve(address string) *url.URL {
	const most = 4 << 10 // longer ones hold data, and are no path of ours
	address = strings.TrimSpace(address)
	if len(address) > most {
		return nil
	}
	u, err := r.base.Parse(address)
	if err != nil || u.Opaque != "" || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	u.Fragment, u.RawFragment = "", ""
	return u
}
