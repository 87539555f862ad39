package setup

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// page is what the HTML of a page says about itself.
type page struct {
	title, lang, generator string
	canonical              *url.URL
	api                    bool       // it names WordPress' API
	feeds                  []*url.URL // in their order
	links                  []*url.URL
	files                  []*url.URL // scripts, styles and images
	ids                    []string   // of elements that frameworks name
	body                   []string   // classes
	text                   []byte     // all of it
}

// mostLinks bounds what is kept of each kind of link.
const mostLinks = 500

// readPage reads what it can; a page without any of it is one too.
func readPage(at *url.URL, body []byte) page {
	p := page{text: body}
	z := html.NewTokenizer(bytes.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return p
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.Data == "title" && p.title == "" {
				if z.Next() == html.TextToken {
					p.title = strings.Join(strings.Fields(z.Token().Data), " ")
				}
				continue
			}
			p.element(at, t)
		}
	}
}

func (p *page) element(at *url.URL, t html.Token) {
	attr := make(map[string]string, len(t.Attr))
	for _, a := range t.Attr {
		attr[a.Key] = a.Val
	}
	if strings.HasPrefix(attr["id"], "__") {
		p.ids = append(p.ids, attr["id"])
	}
	switch t.Data {
	case "html":
		p.lang = attr["lang"]
	case "body":
		p.body = strings.Fields(attr["class"])
	case "meta":
		if strings.EqualFold(attr["name"], "generator") && p.generator == "" {
			p.generator = attr["content"]
		}
	case "a":
		keep(&p.links, at, attr["href"])
	case "script", "img":
		keep(&p.files, at, attr["src"])
	case "link":
		p.link(at, attr)
	}
}

func (p *page) link(at *url.URL, attr map[string]string) {
	rel := strings.Fields(strings.ToLower(attr["rel"]))
	kind, _, _ := strings.Cut(attr["type"], ";")
	switch {
	case slices.Contains(rel, "canonical"):
		p.canonical, _ = at.Parse(attr["href"])
	case slices.Contains(rel, "https://api.w.org/"):
		p.api = true
	case slices.Contains(rel, "alternate") && (kind == "application/rss+xml" || kind == "application/atom+xml"):
		keep(&p.feeds, at, attr["href"])
	case slices.Contains(rel, "stylesheet"), slices.Contains(rel, "preload"), slices.Contains(rel, "modulepreload"):
		keep(&p.files, at, attr["href"])
	}
}

func keep(list *[]*url.URL, at *url.URL, ref string) {
	if u, err := at.Parse(strings.TrimSpace(ref)); err == nil && ref != "" && len(*list) < mostLinks {
		*list = append(*list, u)
	}
}
