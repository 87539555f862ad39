package demo

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// paging is the part of a list that a query asks for.
type paging struct{ page, perPage int }

// parsePaging reads page and per_page within WordPress' limits.
func parsePaging(q url.Values) (paging, error) {
	p := paging{page: 1, perPage: 10}
	for _, param := range []struct {
		name  string
		value *int
		most  int
	}{{"page", &p.page, 1 << 20}, {"per_page", &p.perPage, 100}} {
		if !q.Has(param.name) {
			continue
		}
		n, err := strconv.Atoi(q.Get(param.name))
		if err != nil || n < 1 || n > param.most {
			return paging{}, fmt.Errorf("invalid parameter(s): %s", param.name)
		}
		*param.value = n
	}
	return p, nil
}

// past reports whether the page lies behind the end of a list that has items.
func (p paging) past(total int) bool { return total > 0 && p.page > p.pages(total) }

func (p paging) pages(total int) int {
	if total == 0 {
		return 0
	}
	return (total + p.perPage - 1) / p.perPage
}

// cut returns the items of one page.
func cut[T any](items []T, p paging) []T {
	from := min((p.page-1)*p.perPage, len(items))
	return items[from:min(from+p.perPage, len(items))]
}

// writeHeaders tells the client how long the list is and where its neighbours are.
func (p paging) writeHeaders(w http.ResponseWriter, r *http.Request, total int) {
	pages := p.pages(total)
	w.Header().Set("X-WP-Total", strconv.Itoa(total))
	w.Header().Set("X-WP-TotalPages", strconv.Itoa(pages))
	var links []string
	link := func(page int, rel string) {
		q := r.URL.Query()
		q.Set("page", strconv.Itoa(page))
		u := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: q.Encode()}
		links = append(links, fmt.Sprintf("<%s>; rel=%q", &u, rel))
	}
	if p.page > 1 && p.page <= pages {
		link(p.page-1, "prev")
	}
	if p.page < pages {
		link(p.page+1, "next")
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
}
