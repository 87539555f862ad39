package origin

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// mostHead is how many bytes of a page are looked through for its head.
const mostHead = 1 << 20

// head is what the head of a page says to Rebake.
type head struct {
	items []string // what itemsHeader would say
	cut   [][2]int // from and to where that stands in the page
}

// readHead reads the head of an HTML page. What others have written stands in
// the body, and is not looked at.
func readHead(body []byte) head {
	var h head
	z := html.NewTokenizer(bytes.NewReader(body[:min(len(body), mostHead)]))
	for end := 0; ; {
		kind := z.Next()
		start := end
		end += len(z.Raw())
		switch kind {
		case html.ErrorToken:
			return h
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "head" {
				return h
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			switch t := z.Token(); t.Data {
			case "body":
				return h
			case "meta":
				if strings.EqualFold(attribute(t, "name"), itemsHeader) {
					h.items = append(h.items, attribute(t, "content"))
					h.cut = append(h.cut, [2]int{start, end})
				}
			}
		}
	}
}

func attribute(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// without takes out of the page what is for Rebake alone, and returns what is
// left of body, in its place.
func (h head) without(body []byte) []byte {
	for _, c := range slices.Backward(h.cut) {
		to := c[1]
		if to < len(body) && body[to] == '\n' {
			to++
		}
		body = slices.Delete(body, c[0], to)
	}
	return body
}
