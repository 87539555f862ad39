package source

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLister_graphQL(t *testing.T) {
	const query = "query($after: String, $n: Int, $where: Filter) { posts { nodes { id } } }"
	var asked []any
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Query     string
			Variables map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Query != query || r.Method != "POST" ||
			r.Header.Get("Content-Type") != "application/json" || r.URL.Path != "/api" {
			t.Errorf("%s %s %v: %q, %v", r.Method, r.URL, r.Header, body.Query, err)
		}
		asked = append(asked, body.Variables)
		from := 0
		if after, _ := body.Variables["after"].(string); after != "" {
			from = atoi(t, after)
		}
		writeJSON(w, map[string]any{"data": map[string]any{"posts": map[string]any{
			"nodes":    part(5, from, 2),
			"pageInfo": map[string]any{"hasNextPage": from < 4, "endCursor": strconv.Itoa(from + 2)},
		}}})
	})
	variables := map[string]any{"where": map[string]any{"a": 1}}
	l := lister(t, s, Request{Query: query, Variables: variables}, "posts.nodes", Pagination{
		Type: "cursor", Cursor: "posts.pageInfo.hasNextPage ? posts.pageInfo.endCursor : nil", CursorParam: "after", SizeParam: "n", Size: 2,
	})
	got, err := ids(t, l)
	if diff := cmp.Diff([][]int{{0, 1}, {2, 3}, {4}}, got); diff != "" || err != nil {
		t.Errorf("ids %v (-want +got):\n%s", err, diff)
	}
	where := map[string]any{"a": 1.0}
	want := []any{
		map[string]any{"n": 2.0, "where": where}, map[string]any{"n": 2.0, "where": where, "after": "2"},
		map[string]any{"n": 2.0, "where": where, "after": "4"},
	}
	if diff := cmp.Diff(want, asked); diff != "" || len(variables) != 1 {
		t.Errorf("variables, now %v (-want +got):\n%s", variables, diff)
	}
}

func TestFetch_variablesThatAreNoJSON(t *testing.T) {
	s := newSource(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	_, err := s.Fetch(t.Context(), Request{Query: "{x}", Variables: map[string]any{"f": func() {}}})
	if err == nil || isTemporary(err) {
		t.Errorf("error %v, want a permanent one", err)
	}
}

func TestFaultText_isShort(t *testing.T) {
	fault := map[string]any{"message": strings.Repeat("é", 500)}
	text := faultText([]any{fault, fault, fault, fault, fault})
	if len(text) > 700 || !strings.HasSuffix(text, "; and 2 more") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

func TestFetch_partOfAGraphQLAnswerFailed(t *testing.T) {
	a, err := newSource(t, answer(`{"data": {"a": 1}, "errors": [{"message": "b"}]}`)).Fetch(t.Context(), Request{Query: "{a b}"})
	if diff := cmp.Diff(Answer{Value: map[string]any{"a": 1}, Faults: "b", Header: a.Header}, a); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
