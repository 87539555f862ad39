package renderer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rebake/renderer/origin"
	"rebake/renderer/source"
	"rebake/renderer/upstream"
)

// asker reads what the REST API of a WordPress says at a place below /wp/v2.
type asker interface {
	ask(ctx context.Context, ref string) (value any, header http.Header, err error)
}

// dataOf asks by a source's URL.
type dataOf struct{ source *source.Source }

func (s dataOf) ask(ctx context.Context, ref string) (any, http.Header, error) {
	a, err := s.source.Fetch(ctx, source.Request{Ref: ref})
	return a.Value, a.Header, err
}

// pageMaker asks the WordPress that makes the pages itself.
type pageMaker struct{ origin *origin.Origin }

func (o pageMaker) ask(ctx context.Context, ref string) (v any, h http.Header, err error) {
	res, err := o.origin.REST(ctx, ref, false)
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(res.Body, &v); err != nil {
		return nil, nil, fmt.Errorf("%s: the answer of its REST API is no JSON", o.origin.Name())
	}
	return v, res.Header, nil
}

// press is a WordPress.
type press struct{ asker }

// Collection is a kind of items of a WordPress: a type of posts, a taxonomy,
// or those who write.
type Collection struct {
	press *press
	kind  string
	base  string // "/posts"
	// fields are those that are hashed where there is no modified date.
	fields string
}

// Name is that of the collection in the REST API: "posts".
func (c Collection) Name() string { return strings.TrimPrefix(c.base, "/") }

// Tag is that of the pages that show an item.
func (c Collection) Tag(id int) string { return c.kind + ":" + strconv.Itoa(id) }

// Kind is what leads the tags of the items: "post".
func (c Collection) Kind() string { return c.kind }

// Dated reports whether the items have a date of their last change, which is
// their version. It is a hash otherwise, which says nothing of older or newer.
func (c Collection) Dated() bool { return c.fields == "" }

const (
	// These take no _fields: WordPress would look for them among the kinds.
	typesRef = "/types"
	termRef  = "/taxonomies"
	// mostKinds bounds what one poll asks for.
	mostKinds = 40
)

// What every WordPress has, in the form of its lists.
var (
	usualTypes = map[string]any{
		"post": map[string]any{"rest_base": "posts"}, "page": map[string]any{"rest_base": "pages"}, "attachment": map[string]any{"rest_base": "media"},
	}
	usualTerms = map[string]any{"category": map[string]any{"rest_base": "categories"}, "post_tag": map[string]any{"rest_base": "tags"}}
)

// Collections asks which kinds of items there are; it takes two requests. Of a
// source that is no WordPress there are none.
func (w *Watch) Collections(ctx context.Context) ([]Collection, error) {
	if w.press == nil {
		return nil, nil
	}
	kinds, err := w.press.kinds(ctx, typesRef, "", usualTypes)
	if err != nil {
		return nil, err
	}
	terms, err := w.press.kinds(ctx, termRef, "id,name,slug,link,description,parent", usualTerms)
	if err != nil {
		return nil, err
	}
	kinds = append(kinds, terms...)
	kinds = append(kinds, Collection{press: w.press, kind: "user", base: "/users", fields: "id,name,slug,link,description"})
	return kinds[:min(len(kinds), mostKinds)], nil
}

// kinds reads the list of the post types or the taxonomies. What an editor
// makes pages look with, such as templates and menus, is not among them: no
// page says that it shows one. Where the list is kept from strangers, it is
// taken to hold the usual ones.
func (p *press) kinds(ctx context.Context, ref, fields string, usual map[string]any) ([]Collection, error) {
	v, _, err := p.ask(ctx, ref)
	if err = notShown(err); errors.Is(err, ErrNotShown) {
		v, err = usual, nil
	}
	if err != nil {
		return nil, err
	}
	all, ok := v.(map[string]any)
	if !ok || len(all) == 0 {
		return nil, errors.New("the answer is not that of WordPress' REST API; does url end in /wp-json/wp/v2?")
	}
	var list []Collection
	for _, slug := range slices.Sorted(maps.Keys(all)) {
		about, _ := all[slug].(map[string]any)
		base, _ := about["rest_base"].(string)
		space, said := about["rest_namespace"].(string)
		switch {
		case base == "" || strings.Trim(base, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "":
		case said && space != "wp/v2" || !wpKey.MatchString(slug):
		case strings.HasPrefix(slug, "wp_") || strings.HasPrefix(slug, "nav_menu"):
		default:
			if slug == "attachment" {
				slug = "media"
			}
			list = append(list, Collection{press: p, kind: slug, base: "/" + base, fields: fields})
		}
	}
	return list, nil
}

// Order is one in which a collection can be read.
type Order string

// The orders of collections; the first two are of those that are Dated.
const (
	ByChange Order = "&orderby=modified&order=desc" // changed last first
	ByDate   Order = "&orderby=date&order=desc"     // published last first
	ByID     Order = "&orderby=id&order=asc"
)

// collectionPage is how many items one request asks for, which is the most that
// WordPress gives.
const collectionPage = 100

// Listing is one answer.
type Listing struct {
	Items []ListedItem
	Total int  // items of the whole collection, -1 when the answer does not say
	End   bool // there is nothing behind it
}

// ListedItem is an item in a Listing.
type ListedItem struct {
	ID      int
	Version string
}

// Read reads the items of a page, which are counted from 1, with one request.
// ErrNotShown is in the chain when the CMS does not show them.
func (c Collection) Read(ctx context.Context, o Order, page int) (Listing, error) {
	list, err := c.read(ctx, fmt.Sprintf("%s&page=%d", o, page))
	if status := new(upstream.StatusError); page > 1 && errors.As(err, &status) && status.Status == http.StatusBadRequest {
		return Listing{Total: -1, End: true}, nil // how WordPress says that there is no such page
	}
	if err != nil {
		return list, notShown(err)
	}
	// Fewer items than were asked for do not mean the end: WordPress leaves out
	// what not everybody may see after it has counted.
	list.End = len(list.Items) == 0 || list.Total >= 0 && page*collectionPage >= list.Total
	return list, nil
}

// MostOnly is the most ids for one Only.
const MostOnly = collectionPage

// Only returns those of some items that are there.
func (c Collection) Only(ctx context.Context, ids []int) ([]ListedItem, error) {
	var names []string
	for _, id := range ids {
		names = append(names, strconv.Itoa(id))
	}
	list, err := c.read(ctx, "&include="+url.QueryEscape(strings.Join(names, ",")))
	return list.Items, notShown(err)
}

func (c Collection) read(ctx context.Context, query string) (Listing, error) {
	fields := c.fields
	if c.Dated() {
		fields = "id,modified_gmt"
	}
	v, h, err := c.press.ask(ctx, fmt.Sprintf("%s?_fields=%s&per_page=%d%s", c.base, fields, collectionPage, query))
	if err != nil {
		return Listing{}, err
	}
	items, ok := v.([]any)
	if !ok {
		return Listing{}, fmt.Errorf("the answer for %s is no list", c.Name())
	}
	list := Listing{Total: -1}
	if n, err := strconv.Atoi(h.Get("X-WP-Total")); err == nil && n >= 0 {
		list.Total = n
	}
	for _, item := range items {
		fields, _ := item.(map[string]any)
		listed := ListedItem{ID: idOf(fields["id"])}
		if c.Dated() {
			listed.Version, _ = fields["modified_gmt"].(string)
		} else {
			listed.Version = hashOf(item)
		}
		if listed.ID > 0 {
			list.Items = append(list.Items, listed)
		}
	}
	return list, nil
}

// idOf reads a number of either decoder, 0 for what is none.
func idOf(v any) int {
	switch v := v.(type) {
	case int:
		return v
	case float64:
		return int(v)
	}
	return 0
}
