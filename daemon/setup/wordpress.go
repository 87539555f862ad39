package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// apiRoot is where WordPress has its API, unless permalinks are plain.
const apiRoot = "/wp-json/"

// errNoAPI says that no API of WordPress answers.
var errNoAPI = errors.New("no API of WordPress")

// index is what the root of the API says.
type index struct {
	Name, Description string
	home              *url.URL // the Site Address of the settings
}

// base is the Site Address without a slash at its end.
func (i index) base() string { return i.home.Scheme + "://" + i.home.Host }

func (l *looker) index(ctx context.Context) (index, error) {
	a, err := l.get(ctx, apiRoot)
	if err != nil {
		return index{}, err
	}
	return readIndex(a)
}

// readIndex returns errNoAPI for an answer that is something else.
func readIndex(a answer) (index, error) {
	var said struct {
		Name, Description, Home string
		Namespaces              []string
	}
	if a.status != http.StatusOK || json.Unmarshal(a.body, &said) != nil || !slices.Contains(said.Namespaces, "wp/v2") {
		return index{}, errNoAPI
	}
	home, err := url.Parse(said.Home)
	if err != nil || home.Host == "" {
		return index{}, fmt.Errorf("%s: WordPress' Site Address %.200q cannot be read", a.url, said.Home)
	}
	return index{Name: plain(said.Name), Description: plain(said.Description), home: home}, nil
}

// item is a post, page or category.
type item struct {
	ID       int
	Slug     string
	Link     string
	Date     string // 2026-11-22T09:14:03, in the site's own time
	Parent   int
	Title    struct{ Rendered string }
	Name     string
	Embedded struct {
		Author []struct{ Slug string }   `json:"author"`
		Terms  [][]struct{ Slug string } `json:"wp:term"`
	} `json:"_embedded"`
}

// path is the path of the item's page, decoded and without a slash at its end.
// False means that the link is none: WordPress writes /?p=12 for plain
// permalinks.
func (i item) path() (string, bool) {
	u, err := url.Parse(i.Link)
	if err != nil {
		return "", false
	}
	p, ok := pagePath(u)
	return p.String(), ok
}

// items reads the first answer of a list.
func (l *looker) items(ctx context.Context, ref string) ([]item, error) {
	a, err := l.get(ctx, apiRoot+"wp/v2/"+ref)
	if err != nil {
		return nil, err
	}
	var items []item
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d; templates need it open to everybody, or a key in headers of the source", strings.Split(a.url.String(), "?")[0], a.status)
	}
	if err := json.Unmarshal(a.body, &items); err != nil {
		return nil, fmt.Errorf("%s: the answer is no list", strings.Split(a.url.String(), "?")[0])
	}
	return items, nil
}
