package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"rebake/renderer/expression"
)

// Pagination says how a list goes on after its first answer. The keys that a
// type does not use are errors; the others have the defaults of the type, or
// of the source's kind.
type Pagination struct {
	// Type is page, offset, cursor, link_header, next_url or none (default;
	// page for kind wordpress).
	Type string `yaml:"type,omitempty"`
	// PageParam names the parameter for the page's number, or the offset.
	PageParam string `yaml:"page_param,omitempty"`
	// SizeParam names the parameter for Size; without one Size is not sent.
	SizeParam string `yaml:"size_param,omitempty"`
	// Size is how many items one answer is asked to hold; default 100.
	Size int `yaml:"size,omitempty"`
	// Start is the number of the first page, or offset; default 1 or 0.
	Start *int `yaml:"start,omitempty"`
	// TotalPages is where the answer says how many pages there are:
	// header:NAME, or an expression over it. Without one the list ends with
	// an empty answer.
	TotalPages string `yaml:"total_pages,omitempty"`
	// Total is the same for the number of items.
	Total string `yaml:"total,omitempty"`
	// Cursor is an expression that gives the cursor of the next answer; null,
	// false or "" end the list.
	Cursor string `yaml:"cursor,omitempty"`
	// CursorParam names the parameter for the cursor.
	CursorParam string `yaml:"cursor_param,omitempty"`
	// Next is an expression that gives the URL of the next answer; null or ""
	// end the list.
	Next string `yaml:"next,omitempty"`
	// StopOnStatus are the statuses that end the list when they come after
	// its first answer.
	StopOnStatus []int `yaml:"stop_on_status,omitempty"`
	// MaxPages is the most answers of one list; more are an error. Default
	// 10,000.
	MaxPages int `yaml:"max_pages,omitempty"`
}

const (
	byPage   = "page"
	byOffset = "offset"
	byCursor = "cursor"
	byLink   = "link_header"
	byURL    = "next_url"
	byNone   = "none"
)

const (
	kindWordPress   = "wordpress"
	headerPrefix    = "header:"
	defaultPageSize = 100
	defaultMaxPages = 10_000
)

// pagingKeys are the keys that each type uses, besides those that all do.
var pagingKeys = map[string][]string{
	byPage:   {"page_param", "size_param", "size", "start", "total_pages", "total"},
	byOffset: {"page_param", "size_param", "size", "start", "total"},
	byCursor: {"size_param", "size", "cursor", "cursor_param"},
	byLink:   {"size_param", "size"},
	byURL:    {"size_param", "size", "next"},
	byNone:   {"size_param", "size"},
}

// over returns p with the keys of list in the place of its own. A list of
// another type has nothing in common with p.
func (p Pagination) over(list Pagination, kind string) Pagination {
	if list.Type != "" && list.Type != p.typeFor(kind) {
		return list
	}
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	set(&p.Type, list.Type)
	set(&p.PageParam, list.PageParam)
	set(&p.SizeParam, list.SizeParam)
	set(&p.TotalPages, list.TotalPages)
	set(&p.Total, list.Total)
	set(&p.Cursor, list.Cursor)
	set(&p.CursorParam, list.CursorParam)
	set(&p.Next, list.Next)
	if list.Size != 0 {
		p.Size = list.Size
	}
	if list.Start != nil {
		p.Start = list.Start
	}
	if list.StopOnStatus != nil {
		p.StopOnStatus = list.StopOnStatus
	}
	if list.MaxPages != 0 {
		p.MaxPages = list.MaxPages
	}
	return p
}

func (p Pagination) typeFor(kind string) string {
	switch {
	case p.Type != "":
		return p.Type
	case kind == kindWordPress:
		return byPage
	}
	return byNone
}

// withDefaults fills in what the type and the kind say.
func (p Pagination) withDefaults(kind string) Pagination {
	p.Type = p.typeFor(kind)
	start := 0
	d := Pagination{Size: defaultPageSize, MaxPages: defaultMaxPages}
	switch p.Type {
	case byPage:
		d.PageParam, start = "page", 1
	case byOffset:
		d.PageParam = "offset"
	}
	if kind == kindWordPress {
		d.SizeParam, d.StopOnStatus = "per_page", []int{400} // a page past the end
		switch p.Type {
		case byPage:
			d.TotalPages, d.Total = headerPrefix+"X-WP-TotalPages", headerPrefix+"X-WP-Total"
		case byOffset:
			d.Total = headerPrefix + "X-WP-Total" // X-WP-TotalPages knows of no offset
		}
	}
	d.Start = &start
	d.Type = p.Type
	return d.over(p, kind)
}

// paging is a Pagination with its defaults, checked and compiled.
type paging struct {
	Pagination
	totalPages, total counter
	cursor, next      *expression.Value
}

// compile returns every problem of p, each led by its key.
func (p Pagination) compile(kind string) (paging, error) {
	var errs []error
	bad := func(key string, err error) { errs = append(errs, fmt.Errorf("%s: %w", key, err)) }

	typ := p.typeFor(kind)
	keys, known := pagingKeys[typ]
	if !known {
		return paging{}, fmt.Errorf("type: unknown type %q; known: page, offset, cursor, link_header, next_url, none", typ)
	}
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"page_param", p.PageParam != ""}, {"size_param", p.SizeParam != ""}, {"size", p.Size != 0},
		{"start", p.Start != nil}, {"total_pages", p.TotalPages != ""}, {"total", p.Total != ""},
		{"cursor", p.Cursor != ""}, {"cursor_param", p.CursorParam != ""}, {"next", p.Next != ""},
	} {
		if k.set && !slices.Contains(keys, k.name) {
			bad(k.name, fmt.Errorf("has no meaning for type %s", typ))
		}
	}
	out := paging{Pagination: p.withDefaults(kind)}
	value := func(key, source string) *expression.Value {
		if source == "" {
			bad(key, fmt.Errorf("is missing; type %s needs it", typ))
			return nil
		}
		v, err := expression.ParseValue(source)
		if err != nil {
			bad(key, err)
		}
		return v
	}
	switch typ {
	case byCursor:
		out.cursor = value("cursor", p.Cursor)
		if p.CursorParam == "" {
			bad("cursor_param", errors.New("is missing; type cursor needs it"))
		}
	case byURL:
		out.next = value("next", p.Next)
	}
	var err error
	if out.totalPages, err = newCounter(out.TotalPages); err != nil {
		bad("total_pages", err)
	}
	if out.total, err = newCounter(out.Total); err != nil {
		bad("total", err)
	}
	if p.Size < 0 {
		bad("size", errors.New("must be at least 1"))
	}
	if p.Size > 0 && out.SizeParam == "" {
		bad("size", errors.New("is not sent without a size_param"))
	}
	if *out.Start < 0 {
		bad("start", errors.New("must be at least 0"))
	}
	for i, status := range p.StopOnStatus {
		if status < 400 || status > 499 {
			bad(fmt.Sprintf("stop_on_status[%d]", i), errors.New("must be between 400 and 499"))
		}
	}
	if p.MaxPages < 0 {
		bad("max_pages", errors.New("must be at least 1"))
	}
	return out, errors.Join(errs...)
}

// counter reads a number from an answer. The zero counter never knows.
type counter struct {
	header string
	value  *expression.Value
}

func newCounter(text string) (counter, error) {
	switch name, isHeader := strings.CutPrefix(text, headerPrefix); {
	case text == "":
		return counter{}, nil
	case !isHeader:
		v, err := expression.ParseValue(text)
		return counter{value: v}, err
	case !httpguts.ValidHeaderFieldName(name):
		return counter{}, fmt.Errorf("%q is no name of a header", name)
	default:
		return counter{header: name}, nil
	}
}
