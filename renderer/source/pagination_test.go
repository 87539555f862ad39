package source

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPagination_aListComesBeforeItsSource(t *testing.T) {
	start, none := 5, []int{}
	source := Pagination{Type: "page", PageParam: "p", SizeParam: "s", Size: 10, TotalPages: "n", StopOnStatus: []int{404}, MaxPages: 9}
	list := Pagination{PageParam: "q", Size: 20, Start: &start, Total: "t", StopOnStatus: none, MaxPages: 8}
	want := Pagination{
		Type: "page", PageParam: "q", SizeParam: "s", Size: 20, Start: &start, TotalPages: "n", Total: "t", StopOnStatus: none, MaxPages: 8,
	}
	if diff := cmp.Diff(want, source.over(list, "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	other := Pagination{Type: "cursor", Cursor: "c", CursorParam: "d"}
	if diff := cmp.Diff(other, source.over(other, "")); diff != "" {
		t.Errorf("of another type (-want +got):\n%s", diff)
	}
}

func TestPagination_problemsOfASource(t *testing.T) {
	c := DefaultConfig()
	c.URL = "https://cms.example.com"
	for want, p := range map[string]Pagination{
		`pagination.type: unknown type "pages"`:                       {Type: "pages"},
		"pagination.stop_on_status[1]: must be between 400 and 499":   {StopOnStatus: []int{404, 500}},
		"pagination.cursor_param: is missing; type cursor needs it":   {Type: "cursor", Cursor: "c"},
		"pagination.cursor: is missing; type cursor needs it\npagina": {Type: "cursor"},
	} {
		c.Pagination = p
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestPagination_wordPressNeedsNone(t *testing.T) {
	p, err := Pagination{}.compile("wordpress")
	start := 1
	want := Pagination{
		Type: "page", PageParam: "page", SizeParam: "per_page", Size: 100, Start: &start, TotalPages: "header:X-WP-TotalPages",
		Total: "header:X-WP-Total", StopOnStatus: []int{400}, MaxPages: 10_000,
	}
	if diff := cmp.Diff(want, p.Pagination); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
