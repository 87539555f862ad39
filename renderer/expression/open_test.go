package expression

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseOpen_takesAnyName(t *testing.T) {
	item := map[string]any{
		"slug": "a", "type": "post", "date": "2026", "count": 3, "item": "field",
		"sub": map[string]any{"n": 1}, "links": map[string]any{"next": "/x"},
	}
	for text, want := range map[string]string{
		"/{slug}":                              "/a",
		"/{type}/{date}/{count}":               "/post/2026/3", // the library has functions of these names
		`/{type == "post" ? slug : nil}`:       "/a",
		"/{item.slug}":                         "/a", // the whole comes before a field of that name
		"/{it.sub.n}":                          "/1",
		"/{nope}":                              "dropped",
		"/{nope?.x}":                           "dropped",
		"/{links['next']}":                     "//x",
		"/{let x = slug; x + x}":               "/aa",
		"/{map([1, 2], {# + count})[1]}":       "/5",
		`/{upper(slug)}{len(type)}`:            "/A4",
		`/{reduce([1, 2], {#acc + #}, count)}`: "/6",
	} {
		parsed, err := ParseOpen(text)
		if err != nil {
			t.Errorf("ParseOpen(%q): %v", text, err)
			continue
		}
		got, ok, err := parsed.Eval(Open(item, "item", "it"))
		if !ok && err == nil {
			got = "dropped"
		}
		if got != want {
			t.Errorf("Eval(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestParseOpen_errors(t *testing.T) {
	for text, want := range map[string]string{
		"{":         "{ without its }",
		"{slug.}":   "{slug.}: unexpected end of expression",
		"{nope(1)}": "{nope(1)}: unknown name nope",
	} {
		_, err := ParseOpen(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseOpen(%q): %v, want %q", text, err, want)
		}
	}
}

func TestValue(t *testing.T) {
	answer := map[string]any{"data": []any{1, 2}, "meta": map[string]any{"pages": 3, "next": nil}}
	for source, want := range map[string]any{
		"data": []any{1, 2}, "meta.pages": 3, "meta.next": nil, "answer.meta.pages + 1": 4, "nope": nil,
		"meta.next == nil ? 'end' : meta.next": "end",
	} {
		v, err := ParseValue(source)
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.Eval(Open(answer, "answer"))
		if diff := cmp.Diff(want, got); diff != "" || err != nil || v.String() != source {
			t.Errorf("%s: %v (-want +got):\n%s", v, err, diff)
		}
	}
}

func TestValue_errors(t *testing.T) {
	for _, source := range []string{"", " ", "a.", "{a}.b.", "nope()"} {
		if _, err := ParseValue(source); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseValue(%q): %v", source, err)
		}
	}
	v, err := ParseValue("meta.next")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Eval(nil); err == nil || err.Error() != "{meta.next}: cannot fetch next from <nil>; write ?. where a value may be missing" {
		t.Errorf("error %v", err)
	}
}

func TestOpen_leavesTheItemAlone(t *testing.T) {
	item := map[string]any{"a": 1}
	Open(item, "item")
	if len(item) != 1 {
		t.Errorf("the item is %v now", item)
	}
	if diff := cmp.Diff(map[string]any{"item": "x"}, Open("x", "item")); diff != "" {
		t.Errorf("names of a string (-want +got):\n%s", diff)
	}
}

func TestEvalValue_keepsTheType(t *testing.T) {
	env := map[string]any{"n": 3, "list": []any{1}, "none": nil}
	for _, tc := range []struct {
		text string
		want any
		ok   bool
	}{
		{"{n}", 3, true}, {"{list}", []any{1}, true}, {"{none}", nil, false}, {"n{n}", "n3", true}, {"x", "x", true}, {"x{none}", "", false},
	} {
		got, ok, err := mustParse(t, tc.text, "n", "list", "none").EvalValue(env)
		if diff := cmp.Diff(tc.want, got); diff != "" || ok != tc.ok || err != nil {
			t.Errorf("EvalValue(%q): %v, %v (-want +got):\n%s", tc.text, ok, err, diff)
		}
	}
}

func TestMissing(t *testing.T) {
	env := map[string]any{"slug": nil, "type": "x"}
	for text, want := range map[string]string{
		"/{slug}/{type}": "", "/{slug}/{date}": "date", "{upper(type)}{let x = 1; x}": "", "x": "", "{slug?.x ?? title}": "title",
	} {
		parsed, err := ParseOpen(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.Missing(env); got != want {
			t.Errorf("%s misses %q, want %q", text, got, want)
		}
	}
	v, err := ParseValue("data.x")
	if err != nil || v.Missing(env) != "data" {
		t.Errorf("data.x misses %q, %v", v.Missing(env), err)
	}
}
