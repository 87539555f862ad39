package renderer

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRender_itemsInsideAnAnswer(t *testing.T) {
	for _, tc := range []struct{ answer, items, kind, want string }{
		{`{"data": [{"id": 1}]}`, "data", "", ""},
		{`{"data": {"id": 1}}`, "data", "", ""},
		{`{"data": [{"id": 1}]}`, "data[0]", "", ""},
		{`{"data": []}`, "data", "gone", "an empty list"},
		{`{"data": null}`, "data", "gone", "null"},
		{`{"data": [1, 2]}`, "data", "ambiguous", "2 items"},
		{`{"error": "maintenance"}`, "data", "temporary", "items: the answer has no data"},
		{`{"data": null}`, "data.post", "temporary", "items: {data.post}: cannot fetch post"},
		{`[]`, "data", "temporary", "items: the answer has no data"},
	} {
		r := one(t, answers(tc.answer), "{{.post.id}}", func(rc *RouteConfig) {
			rc.Data["post"] = FetchConfig{Source: "cms", Get: "/posts?slug={slug}", Items: tc.items, One: true}
		})
		page, err := render(t, r, "/blog/a")
		if kind(err) != tc.kind || err == nil && string(page.Body) != "1" || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s, items %s: %q, %s error %v; want %s, %q", tc.answer, tc.items, page.Body, kind(err), err, tc.kind, tc.want)
		}
	}
}

func TestRender_graphQL(t *testing.T) {
	const query = "query($slug: String!) { post(slug: $slug) { id } }"
	for _, tc := range []struct {
		answer     string
		one        bool
		kind, want string
	}{
		{`{"data": {"post": {"id": 1}}}`, true, "", ""},
		{`{"data": {"post": {"id": 1}}, "errors": [{"message": "a link is broken"}]}`, true, "", ""},
		{`{"data": {"post": null}}`, true, "gone", "null"},
		{`{"data": {"post": null}}`, false, "permanent", "post.html:1:"},
		{`{"data": {"post": []}}`, true, "gone", "empty"},
		{`{"data": {"post": null}, "errors": [{"message": "boom"}]}`, true, "temporary", "boom"},
		{`{"data": {"post": []}, "errors": [{"message": "boom"}]}`, true, "temporary", "nothing is there, and the API says: boom"},
		{`{"data": null, "errors": [{"message": "boom"}]}`, true, "temporary", "data post: cms POST: the API says: boom"},
		{`{"errors": [{"message": "boom"}]}`, false, "temporary", "boom"},
	} {
		var body string
		r := one(t, func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			body = string(text)
			_, _ = io.WriteString(w, tc.answer)
		}, "{{.post.id}}", func(rc *RouteConfig) {
			rc.Data["post"] = FetchConfig{Source: "cms", Query: query, Items: "post", One: tc.one, Variables: map[string]any{
				"slug": "{slug}", "n": 3, "len": "{len(slug)}", "none": "{nil}", "in": []any{"{slug}!", "{nil}", nil, map[string]any{"a": "{slug}", "b": "{nil}"}},
			}}
		})
		page, err := render(t, r, "/blog/b")
		if kind(err) != tc.kind || err == nil && string(page.Body) != "1" || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %q, %s error %v; want %s, %q", tc.answer, page.Body, kind(err), err, tc.kind, tc.want)
		}
		want := `{"query":"query($slug: String!) { post(slug: $slug) { id } }","variables":{"in":["b!",null,{"a":"b"}],"len":1,"n":3,"slug":"b"}}`
		if body != want {
			t.Errorf("body %s, want %s", body, want)
		}
	}
}

func TestRender_graphQLVariableErrors(t *testing.T) {
	for _, value := range []any{"{slug.x}", []any{"{slug.x}"}, map[string]any{"a": "{slug.x}"}} {
		r := one(t, answers("{}"), "x", func(rc *RouteConfig) {
			rc.Data["post"] = FetchConfig{Source: "cms", Query: "{x}", Variables: map[string]any{"v": value}}
		})
		_, err := render(t, r, "/blog/a")
		if kind(err) != "permanent" || !strings.Contains(err.Error(), "data post: variables: v: ") {
			t.Errorf("%v: error %v", value, err)
		}
	}
}
