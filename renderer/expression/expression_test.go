package expression

import (
	"encoding/json"
	"math"
	"net/url"
	"strings"
	"testing"
)

func mustParse(t *testing.T, text string, vars ...string) *Text {
	t.Helper()
	parsed, err := Parse(text, vars)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return parsed
}

func TestEval_values(t *testing.T) {
	env := map[string]any{
		"slug": "a-b",
		"n":    json.Number("123456789012345678901234567890"),
		"post": map[string]any{
			"id": 12345678, "price": 1234567890.5, "sticky": true, "big": int64(1) << 62,
			"tags": []any{"x", "y"}, "title": "}{",
		},
	}
	for _, tc := range []struct{ text, want string }{
		{"", ""},
		{"plain", "plain"},
		{"post:{post.id}", "post:12345678"},
		{"{slug}/{ post.id }", "a-b/12345678"},
		{"{post.price}", "1234567890.5"},
		{"{post.sticky}", "true"},
		{"{post.big}", "4611686018427387904"},
		{"{post.id * 1.0}", "12345678"},
		{"{n}", "123456789012345678901234567890"},
		{"{{literal}}", "{literal}"},
		{"{slug}}}", "a-b}"},
		{"{{{slug}}}", "{a-b}"},
		{`{"}" + slug + '{'}`, "}a-b{"},
		{`{"\"}"}`, `"}`},
		{"{`}`}", "}"},
		{`{ {"a": {"b": slug}}.a.b}`, "a-b"},
		{`{join(map(post.tags, {"t:" + #}), ",")}`, "t:x,t:y"},
		{"{slug /* } */}", "a-b"},
		{"{slug // }\n}", "a-b"},
		{"{post.title}", "}{"},
		{`{post.id > 3 ? "big" : "small"}`, "big"},
		{`{post.missing ?? "none"}`, "none"},
	} {
		got, ok, err := mustParse(t, tc.text, "slug", "n", "post").Eval(env)
		if err != nil || !ok || got != tc.want {
			t.Errorf("Eval(%q) = %q, %v, %v; want %q", tc.text, got, ok, err, tc.want)
		}
	}
}

func TestEval_dropsNull(t *testing.T) {
	env := map[string]any{"post": map[string]any{"x": nil}, "gone": nil}
	for _, text := range []string{"a{post.x}b", "{post.missing}", "{gone}", "{gone?.id}", "{post.x?.y}"} {
		got, ok, err := mustParse(t, text, "post", "gone").Eval(env)
		if err != nil || ok || got != "" {
			t.Errorf("Eval(%q) = %q, %v, %v; want it dropped", text, got, ok, err)
		}
	}
}

func TestEval_errors(t *testing.T) {
	big := make([]any, 5000)
	for i := range big {
		big[i] = i
	}
	env := map[string]any{
		"m": map[string]any{"a": 1}, "l": []any{1}, "gone": nil, "s": "text",
		"inf": math.Inf(1), "big": big, "c": complex(1, 1),
	}
	for _, tc := range []struct{ text, want string }{
		{"{m}", "{m}: gives a map"},
		{"{l}", "{l}: gives a list"},
		{"{gone.id}", "write ?."},
		{"{inf}", "not finite"},
		{"{c}", "complex128"},
		{"{s.id}", "{s.id}: invalid operation"},
		{"{s + 1}", "invalid operation"},
		{"{len(map(big, map(big, #)))}", "memory budget exceeded"},
	} {
		_, ok, err := mustParse(t, tc.text, "m", "l", "gone", "s", "inf", "big", "c").Eval(env)
		if err == nil || ok || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Eval(%q): error %v, want %q", tc.text, err, tc.want)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("Eval(%q): error over several lines: %v", tc.text, err)
		}
	}
}

func TestEvalURL_escapesOnlyValues(t *testing.T) {
	for _, tc := range []struct{ text, value, want string }{
		{"/posts?slug={v}&_embed", "a&b=c d+e", "/posts?slug=a%26b%3Dc%20d%2Be&_embed"},
		{"/p/{v}/x", "a/b?#%", "/p/a%2Fb%3F%23%25/x"},
		{"/p/{v}", "é,ü", "/p/%C3%A9%2C%C3%BC"},
	} {
		got, ok, err := mustParse(t, tc.text, "v").EvalURL(map[string]any{"v": tc.value})
		if err != nil || !ok || got != tc.want {
			t.Errorf("EvalURL(%q) = %q, %v, %v; want %q", tc.text, got, ok, err, tc.want)
		}
	}
}

func TestEvalURL_valueIsTheSameInPathAndQuery(t *testing.T) {
	const value = "a b+c&d/é?#%20"
	got, _, err := mustParse(t, "/{v}?v={v}", "v").EvalURL(map[string]any{"v": value})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	if u.Path != "/"+value || u.Query().Get("v") != value {
		t.Errorf("path %q, query %q; want %q in both", u.Path, u.Query().Get("v"), value)
	}
}

func TestParse_errors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"{slugg}", "{slugg}: unknown name slugg (known: post, slug)"},
		{"{a} {slug} {b}", "unknown name b"},
		{"{", "{ without its }"},
		{"{slug", "{ without its }"},
		{"{'}", "{ without its }"},
		{"{slug // }", "{ without its }"},
		{"{slug /* }", "{ without its }"},
		{"slug}", "} without a {"},
		{"{}", "no expression"},
		{"{  }", "no expression"},
		{"{slug +}", "{slug +}: "},
		{"{slug." + strings.Repeat("a.", 600) + "a}", "exceeds maximum"},
	} {
		_, err := Parse(tc.text, []string{"slug", "post"})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Parse(%.40q): error %v, want %q", tc.text, err, tc.want)
		}
	}
}

func TestText_StringIsTheSource(t *testing.T) {
	if got := mustParse(t, "a{{{x}", "x").String(); got != "a{{{x}" {
		t.Errorf("String() = %q", got)
	}
}

func TestValidName(t *testing.T) {
	for _, name := range []string{"a", "_x", "post2", "count", "date"} {
		if err := ValidName(name); err != nil {
			t.Errorf("ValidName(%q) = %v", name, err)
		} else if got, ok, err := mustParse(t, "{"+name+"}", name).Eval(map[string]any{name: "v"}); got != "v" {
			t.Errorf("{%s} = %q, %v, %v", name, got, ok, err)
		}
	}
	for _, name := range []string{"", "1a", "a-b", "é", "in", "true", "let"} {
		if ValidName(name) == nil {
			t.Errorf("ValidName(%q) = nil, want an error", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "{slug}", "{{}}", `{"}"}`, "{post.id + 1}", "{ {}}", "{1/0}", "{a?.b ?? 'x'}", "{1..3}"} {
		f.Add(s)
	}
	env := map[string]any{"slug": "x", "post": map[string]any{"id": 1}}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := Parse(s, []string{"slug", "post"})
		if err != nil {
			return
		}
		if out, ok, err := text.Eval(env); (err != nil || !ok) && out != "" {
			t.Errorf("Eval(%q) = %q beside ok %v, error %v", s, out, ok, err)
		}
	})
}

func TestParseClosed(t *testing.T) {
	env := map[string]any{"body": map[string]any{"event": "publish", "n": 3}}
	for source, want := range map[string]any{
		`body.event in ["publish", "delete"] && body.n == 3`: true,
		`body.none?.x`:               nil,
		`"n-" + string(body.n)`:      "n-3",
		`string(12345678.0)`:         "12345678",
		`"a" + string(body.x ?? "")`: "a",
	} {
		v, err := ParseClosed(source, []string{"body"})
		if err != nil {
			t.Errorf("ParseClosed(%s): %v", source, err)
			continue
		}
		if got, err := v.Eval(env); err != nil || got != want {
			t.Errorf("%s gives %v, %v; want %v", source, got, err, want)
		}
	}
}

func TestParseClosed_errors(t *testing.T) {
	for source, want := range map[string]string{
		"":         "holds no expression",
		"bod.x":    "unknown name bod (known: body)",
		"body ==":  "unexpected token EOF",
		"string()": "not enough arguments",
	} {
		if _, err := ParseClosed(source, []string{"body"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseClosed(%q): %v, want %q", source, err, want)
		}
	}
}

// The library would make text of them that nobody means: "map[a:1]", "<nil>".
func TestEval_stringTakesTextsAndNumbersAlone(t *testing.T) {
	env := map[string]any{"post": map[string]any{"id": 1, "tags": []any{1}}}
	for text, want := range map[string]string{
		`{string(post)}`:      "string(): its argument gives a map",
		`{string(post.tags)}`: "string(): its argument gives a list",
		`{string(post.none)}`: "string() of null",
	} {
		parsed, err := Parse(text, []string{"post"})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := parsed.Eval(env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Eval(%s): %v, want %q", text, err, want)
		}
	}
}
