package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
)

// items returns n objects with ids from first on.
func items(first, n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = map[string]any{"id": first + i}
	}
	return list
}

// part returns what a list of total items has from a place on, at most size.
func part(total, from, size int) []any {
	return items(min(from, total), max(0, min(size, total-from)))
}

func writeJSON(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Errorf("the parameter is %q, not a number", text)
	}
	return n
}

// lister makes one of a request, where the items are, and a pagination.
func lister(t *testing.T, s *Source, r Request, where string, over Pagination) *Lister {
	t.Helper()
	in, err := ParseItems(where)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Lister(r, in, over)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func nothing(context.Context) error { return nil }

// ids walks the list and returns the ids, answer by answer.
func ids(t *testing.T, l *Lister) ([][]int, error) {
	t.Helper()
	var got [][]int
	err := l.Each(t.Context(), nothing, func(_ context.Context, items []any) error {
		var page []int
		for _, item := range items {
			page = append(page, item.(map[string]any)["id"].(int))
		}
		got = append(got, page)
		return nil
	})
	return got, err
}

// api is one kind of API, which lists 5 items by at most 2.
type api struct {
	kind    string
	request Request
	where   string
	over    Pagination
	handler http.HandlerFunc
	asked   []string // the queries that it wants to see
}

func apis(t *testing.T) map[string]api {
	const total, size = 5, 2
	return map[string]api{
		"wordpress": {
			kind:    "wordpress",
			request: Request{Ref: "/posts?orderby=id"}, over: Pagination{Size: size},
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-WP-TotalPages", "3")
				writeJSON(w, part(total, (atoi(t, r.FormValue("page"))-1)*size, atoi(t, r.FormValue("per_page"))))
			},
			asked: []string{"orderby=id&per_page=2&page=1", "orderby=id&per_page=2&page=2", "orderby=id&per_page=2&page=3"},
		},
		"wordpress without headers": {
			kind:    "wordpress",
			request: Request{Ref: "/posts?per_page=2"},
			handler: func(w http.ResponseWriter, r *http.Request) {
				page := atoi(t, r.FormValue("page"))
				if page > 3 {
					w.WriteHeader(http.StatusBadRequest)
					writeJSON(w, map[string]any{"code": "rest_post_invalid_page_number"})
					return
				}
				writeJSON(w, part(total, (page-1)*size, size))
			},
			asked: []string{"per_page=2&page=1", "per_page=2&page=2", "per_page=2&page=3", "per_page=2&page=4"},
		},
		"wordpress by offset": {
			kind:    "wordpress",
			request: Request{Ref: "/posts"}, over: Pagination{Type: "offset", Size: size},
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-WP-Total", "5")
				w.Header().Set("X-WP-TotalPages", "1") // knows of no offset
				writeJSON(w, part(total, atoi(t, r.FormValue("offset")), size))
			},
			asked: []string{"per_page=2&offset=0", "per_page=2&offset=2", "per_page=2&offset=4"},
		},
		"link header": {
			request: Request{Ref: "/posts"}, over: Pagination{Type: "link_header"},
			handler: func(w http.ResponseWriter, r *http.Request) {
				from, _ := strconv.Atoi(r.FormValue("after"))
				if from+size < total {
					next := "https://" + r.Host + r.URL.Path + "?a=1,2;3&after=" + strconv.Itoa(from+size)
					w.Header().Add("Link", `</api/>; rel="https://api.w.org/"`)
					w.Header().Add("Link", fmt.Sprintf(`</api/posts>; title="a, b"; rel=prev, <%s>; rel="last next"`,
						strings.Replace(next, "https", "http", 1)))
				}
				writeJSON(w, part(total, from, size))
			},
			asked: []string{"", "a=1,2;3&after=2", "a=1,2;3&after=4"},
		},
		"strapi": {
			request: Request{Ref: "/articles"}, where: "data",
			over: Pagination{
				Type: "page", PageParam: "pagination[page]", SizeParam: "pagination[pageSize]", Size: 500,
				TotalPages: "meta.pagination.pageCount",
			},
			handler: func(w http.ResponseWriter, r *http.Request) { // clamps the size and says nothing
				page := atoi(t, r.FormValue("pagination[page]"))
				writeJSON(w, map[string]any{
					"data": part(total, (page-1)*size, size),
					"meta": map[string]any{"pagination": map[string]any{"page": page, "pageSize": size, "pageCount": 3, "total": total}},
				})
			},
			asked: []string{
				"pagination%5BpageSize%5D=500&pagination%5Bpage%5D=1", "pagination%5BpageSize%5D=500&pagination%5Bpage%5D=2",
				"pagination%5BpageSize%5D=500&pagination%5Bpage%5D=3",
			},
		},
		"ghost": {
			request: Request{Ref: "/posts/?key=k"}, where: "posts",
			over: Pagination{Type: "page", SizeParam: "limit", Size: size, Total: "meta.pagination.total"},
			handler: func(w http.ResponseWriter, r *http.Request) {
				page := atoi(t, r.FormValue("page"))
				writeJSON(w, map[string]any{
					"posts": part(total, (page-1)*size, size),
					"meta":  map[string]any{"pagination": map[string]any{"pages": 3, "total": total}},
				})
			},
			asked: []string{"key=k&limit=2&page=1", "key=k&limit=2&page=2", "key=k&limit=2&page=3"},
		},
		"contentful": {
			request: Request{Ref: "/entries?content_type=post"}, where: "items",
			over: Pagination{Type: "offset", PageParam: "skip", SizeParam: "limit", Size: 1000, Total: "total"},
			handler: func(w http.ResponseWriter, r *http.Request) {
				writeJSON(w, map[string]any{"total": total, "items": part(total, atoi(t, r.FormValue("skip")), size)})
			},
			asked: []string{"content_type=post&limit=1000&skip=0", "content_type=post&limit=1000&skip=2", "content_type=post&limit=1000&skip=4"},
		},
		"zero-based pages until an empty one": {
			request: Request{Ref: "/x"}, over: Pagination{Type: "page", PageParam: "p", Start: new(int)},
			handler: func(w http.ResponseWriter, r *http.Request) {
				writeJSON(w, part(total, atoi(t, r.FormValue("p"))*size, size))
			},
			asked: []string{"p=0", "p=1", "p=2", "p=3"},
		},
		"cursor": {
			request: Request{Ref: "/x?a"}, where: "docs",
			over: Pagination{Type: "cursor", Cursor: "more ? next : nil", CursorParam: "after"},
			handler: func(w http.ResponseWriter, r *http.Request) {
				from := 0
				if c := r.FormValue("after"); c != "" {
					from = atoi(t, strings.TrimPrefix(c, "c&"))
				}
				writeJSON(w, map[string]any{
					"docs": part(total, from, size), "next": "c&" + strconv.Itoa(from+size), "more": from+size < total,
				})
			},
			asked: []string{"a", "a&after=c%262", "a&after=c%264"},
		},
		"next URL": {
			request: Request{Ref: "/x"}, where: "answer.data", over: Pagination{Type: "next_url", Next: "links?.next?.href"},
			handler: func(w http.ResponseWriter, r *http.Request) {
				from, _ := strconv.Atoi(r.FormValue("from"))
				answer := map[string]any{"data": part(total, from, size)}
				if from+size < total {
					answer["links"] = map[string]any{"next": map[string]any{"href": "?from=" + strconv.Itoa(from+size)}}
				}
				writeJSON(w, answer)
			},
			asked: []string{"", "from=2", "from=4"},
		},
		"all at once": {
			request: Request{Ref: "/x"},
			handler: func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, items(0, total)) },
			asked:   []string{""},
		},
		"nothing": {
			request: Request{Ref: "/x"}, over: Pagination{Type: "page"},
			handler: func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, []any{}) },
			asked:   []string{"page=1"},
		},
	}
}

func TestLister_walksEveryKindOfList(t *testing.T) {
	for name, api := range apis(t) {
		t.Run(name, func(t *testing.T) {
			var asked []string
			s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.URL.RawQuery)
				api.handler(w, r)
			}, func(c *Config) { c.Kind = api.kind })
			got, err := ids(t, lister(t, s, api.request, api.where, api.over))
			if err != nil {
				t.Fatal(err)
			}
			want := []int{0, 1, 2, 3, 4}
			if name == "nothing" {
				want = nil
			}
			if diff := cmp.Diff(want, slices.Concat(got...)); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(api.asked, asked); diff != "" {
				t.Errorf("queries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLister_readsTheClockBeforeEachFetch(t *testing.T) {
	var events []string
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		events = append(events, "fetch")
		writeJSON(w, part(3, (atoi(t, r.FormValue("page"))-1)*2, 2))
	})
	before := func(context.Context) error { events = append(events, "before"); return nil }
	err := lister(t, s, Request{Ref: "/x"}, "", Pagination{Type: "page"}).Each(t.Context(), before, func(context.Context, []any) error {
		events = append(events, "page")
		return nil
	})
	want := "before fetch page before fetch page before fetch"
	if got := strings.Join(events, " "); got != want || err != nil {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

func TestLister_callersErrorsComeBackAsTheyAre(t *testing.T) {
	s := newSource(t, answer("[1]"))
	l, mine := lister(t, s, Request{Ref: "/x"}, "", Pagination{}), errors.New("mine")
	fails := func(context.Context) error { return mine }
	if err := l.Each(t.Context(), fails, nil); err != mine {
		t.Errorf("of before: %v", err)
	}
	if err := l.Each(t.Context(), nothing, func(context.Context, []any) error { return mine }); err != mine {
		t.Errorf("of page: %v", err)
	}
}

func TestLister_errors(t *testing.T) {
	// says answers the first request, and later ones with rest.
	says := func(first string, rest ...string) http.HandlerFunc {
		n := 0
		return func(w http.ResponseWriter, _ *http.Request) {
			if n++; n == 1 || len(rest) == 0 {
				_, _ = io.WriteString(w, first)
				return
			}
			_, _ = io.WriteString(w, rest[min(n-2, len(rest)-1)])
		}
	}
	next := Pagination{Type: "next_url", Next: "next"}
	cursor := Pagination{Type: "cursor", Cursor: "next", CursorParam: "c"}
	graph := Request{Query: "{x}"}
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		request Request
		where   string
		over    Pagination
		pages   int
		kind    string
		want    string
	}{
		"400 at once": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }, Request{}, "",
			Pagination{Type: "page", StopOnStatus: []int{400}}, 0, "permanent", "status 400"},
		"404": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, Request{}, "", Pagination{}, 0, "permanent",
			"the list itself is not there"},
		"503":               {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, Request{}, "", Pagination{}, 0, "temporary", "status 503"},
		"object":            {says(`{"data": []}`), Request{}, "", Pagination{}, 0, "permanent", "say with items where"},
		"no such items":     {says(`{"data": []}`), Request{}, "posts", Pagination{}, 0, "temporary", "items: the answer has no posts"},
		"null items":        {says(`{"data": null}`), Request{}, "data", Pagination{}, 0, "permanent", "items: data is null"},
		"items below null":  {says(`{"data": null}`), Request{}, "data.posts", Pagination{}, 0, "temporary", "items: {data.posts}: cannot fetch posts"},
		"items is no list":  {says(`{"data": 1}`), Request{}, "data", Pagination{}, 0, "permanent", "items: data is no list"},
		"unsaid pages":      {linked, Request{}, "", Pagination{}, 1, "permanent", "say in pagination"},
		"same page":         {says(`[1, 2]`), Request{}, "", Pagination{Type: "page"}, 1, "permanent", "does it know page?"},
		"same offset":       {says(`[1, 2]`), Request{}, "", Pagination{Type: "offset"}, 1, "permanent", "does it know offset?"},
		"max_pages":         {says(`[1]`), Request{}, "", Pagination{Type: "page", MaxPages: 3}, 3, "permanent", "goes on after 3 answers"},
		"total is a word":   {says(`{"d": [1], "n": "many"}`), Request{}, "d", Pagination{Type: "page", Total: "n"}, 1, "permanent", `total: "many" is no number`},
		"total with a part": {says(`{"d": [1], "n": 1.5}`, `{"d": []}`), Request{}, "d", Pagination{Type: "page", Total: "n"}, 1, "", ""},
		"total is unsaid":   {says(`{"d": [1]}`, `{"d": []}`), Request{}, "d", Pagination{Type: "page", Total: "n"}, 1, "", ""},
		"GraphQL, bad query": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }, graph, "x", Pagination{}, 0, "permanent",
			"cms POST: status 400"},
		"total is a list":   {says(`{"d": [1], "n": []}`), Request{}, "d", Pagination{Type: "page", TotalPages: "n"}, 1, "permanent", "total_pages: a []interface {} is no number"},
		"total of nothing":  {says(`{"d": [1]}`), Request{}, "d", Pagination{Type: "page", TotalPages: "n.x"}, 1, "permanent", "total_pages: {n.x}: cannot fetch x"},
		"same cursor":       {says(`{"d": [1], "next": "a"}`), Request{}, "d", cursor, 2, "permanent", "a cursor for the second time"},
		"circle of cursors": {says(`{"d": [1], "next": "a"}`, `{"d": [1], "next": 2}`, `{"d": [1], "next": "a"}`), Request{}, "d", cursor, 3, "permanent", "a cursor for the second time"},
		"cursor is a list":  {says(`{"d": [1], "next": [1]}`), Request{}, "d", cursor, 1, "permanent", "cursor: next gives a []interface {}"},
		"same next":         {says(`{"d": [1], "next": "/api/x?y"}`), Request{}, "d", next, 2, "permanent", "a next page for the second time"},
		"next is this":      {says(`{"d": [1], "next": "/api/x"}`), Request{}, "d", next, 1, "permanent", "a next page for the second time"},
		"next is a number":  {says(`{"d": [1], "next": 2}`), Request{}, "d", next, 1, "permanent", "next: next gives a int"},
		"next elsewhere":    {says(`{"d": [1], "next": "http://evil.example/api/x?key=` + secret + `"}`), Request{}, "d", next, 1, "permanent", "at http://evil.example, which is not the source's host"},
		"next by a file":    {says(`{"d": [1], "next": "file:///etc/passwd"}`), Request{}, "d", next, 1, "permanent", "not the source's host"},
		"next of others":    {says(`{"d": [1], "next": "//evil.example/api/x"}`), Request{}, "d", next, 1, "permanent", "not the source's host"},
		"next above":        {says(`{"d": [1], "next": "/other/x"}`), Request{}, "d", next, 1, "permanent", "not below the source's path"},
		"next beside":       {says(`{"d": [1], "next": "/api2/x"}`), Request{}, "d", next, 1, "permanent", "not below the source's path"},
		"next climbs":       {says(`{"d": [1], "next": "../../x"}`), Request{}, "d", next, 1, "permanent", "not below the source's path"},
		"next climbs, hid":  {says(`{"d": [1], "next": "/api/%2e%2e/x"}`), Request{}, "d", next, 1, "permanent", "leaves the source's path"},
		"next is no URL":    {says(`{"d": [1], "next": "http://%zz"}`), Request{}, "d", next, 1, "permanent", "is no URL"},
		"GraphQL errors":    {says(`{"data": null, "errors": [{"message": "no\nluck"}, {}]}`), graph, "x", Pagination{}, 0, "temporary", "the API says: no luck; an error without a message"},
		"GraphQL, no data":  {says(`[]`), graph, "x", Pagination{}, 0, "temporary", "no data"},
		"GraphQL in part":   {says(`{"data": {"x": null}, "errors": [{"message": "boom"}]}`), graph, "x", Pagination{}, 0, "temporary", "nothing is there, and the API says: boom"},
		"GraphQL, emptied":  {says(`{"data": {"x": []}, "errors": [{"message": "boom"}]}`), graph, "x", Pagination{}, 0, "temporary", "the list is empty, and the API says: boom"},
		"GraphQL nowhere": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, graph, "x", Pagination{}, 0, "temporary",
			"cms POST: status 404; does url lead to the GraphQL API?"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.request.Query == "" {
				tc.request.Ref = "/x"
			}
			pages := 0
			err := lister(t, newSource(t, tc.handler), tc.request, tc.where, tc.over).Each(t.Context(), nothing,
				func(context.Context, []any) error { pages++; return nil })
			kind := "permanent"
			switch {
			case err == nil:
				kind = ""
			case errors.Is(err, storage.ErrGone):
				kind = "gone"
			case isTemporary(err):
				kind = "temporary"
			}
			said := fmt.Sprint(err)
			if kind != tc.kind || !strings.Contains(said, tc.want) || strings.Contains(said, secret) {
				t.Errorf("%s error %v, want %s, %q", kind, err, tc.kind, tc.want)
			}
			if pages != tc.pages {
				t.Errorf("%d answers were used, want %d", pages, tc.pages)
			}
		})
	}
}

// linked has a next page that nobody was told of.
func linked(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Link", `<https://cms.example.com/api/x?page=2>; rel="next"`)
	_, _ = io.WriteString(w, "[1]")
}

func TestLister_contextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, items(atoi(t, r.FormValue("page")), 2))
	})
	err := lister(t, s, Request{Ref: "/x"}, "", Pagination{Type: "page"}).Each(ctx, nothing, func(context.Context, []any) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || !isTemporary(err) {
		t.Errorf("error %v, want context.Canceled, temporary", err)
	}
}

func TestLister_holdsOneAnswer(t *testing.T) {
	const pages, size = 100, 256 << 10
	text := strings.Repeat("x", size)
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		if page := atoi(t, r.FormValue("page")); page <= pages {
			_, _ = fmt.Fprintf(w, `[{"id": %d, "text": "%s"}, 1]`, page, text)
			return
		}
		writeJSON(w, []any{})
	})
	var most uint64
	n := 0
	err := lister(t, s, Request{Ref: "/x"}, "", Pagination{Type: "page"}).Each(t.Context(), nothing, func(context.Context, []any) error {
		if n++; n%20 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		return nil
	})
	if err != nil || n != pages {
		t.Fatalf("%d answers, %v", n, err)
	}
	if most > 30*size { // with what else the test holds
		t.Errorf("%d KiB were in use, and one answer has %d", most>>10, size>>10)
	}
}

func TestLister_refusesWhatItCannotSend(t *testing.T) {
	s := newSource(t, answer("[]"), func(c *Config) { c.Pagination = Pagination{Type: "page", PageParam: "p[x]"} })
	for want, tc := range map[string]struct {
		request Request
		over    Pagination
	}{
		"get: holds p[x], which":                               {Request{Ref: "/x?p%5Bx%5D=2"}, Pagination{}},
		"get: holds c, which":                                  {Request{Ref: "/x?c=2"}, Pagination{Type: "cursor", Cursor: "c", CursorParam: "c"}},
		"pagination.type: next_url leads":                      {Request{Query: "{x}"}, Pagination{Type: "next_url", Next: "x"}},
		"pagination.type: link_header leads":                   {Request{Query: "{x}"}, Pagination{Type: "link_header"}},
		"pagination.page_param: has no meaning for type none":  {Request{Ref: "/x"}, Pagination{Type: "none", PageParam: "x"}},
		"pagination.next: is missing; type next_url needs it":  {Request{Ref: "/x"}, Pagination{Type: "next_url"}},
		"pagination.cursor: unexpected end of expression":      {Request{Ref: "/x"}, Pagination{Type: "cursor", Cursor: "a.", CursorParam: "c"}},
		"pagination.total: unexpected end of expression":       {Request{Ref: "/x"}, Pagination{Total: "a."}},
		`pagination.total_pages: "a b" is no name of a header`: {Request{Ref: "/x"}, Pagination{TotalPages: "header:a b"}},
		"pagination.size: must be at least 1":                  {Request{Ref: "/x"}, Pagination{Size: -1}},
		"pagination.size: is not sent without a size_param":    {Request{Ref: "/x"}, Pagination{Size: 1}},
		"pagination.start: must be at least 0":                 {Request{Ref: "/x"}, Pagination{Start: &[]int{-1}[0]}},
		"pagination.max_pages: must be at least 1":             {Request{Ref: "/x"}, Pagination{MaxPages: -1}},
	} {
		_, err := s.Lister(tc.request, &Items{}, tc.over)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := ParseItems("data."); err == nil {
		t.Error("items: data. is no error")
	}
}
