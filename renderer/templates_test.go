package renderer

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
)

// files makes a templates folder of names and contents.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

func mustLoad(t testing.TB, pairs ...string) *Templates {
	t.Helper()
	templates, err := LoadTemplates(files(pairs...))
	if err != nil {
		t.Fatal(err)
	}
	return templates
}

// show executes a template of one file.
func show(t *testing.T, name, src string, data map[string]any) (string, error) {
	t.Helper()
	body, err := mustLoad(t, name, src).execute(t.Context(), name, 1<<20, data)
	return string(body), err
}

func TestTemplates_layoutWithTheMainOfThePage(t *testing.T) {
	templates := mustLoad(t,
		"layouts/base.html", `<html>{{block "main" .}}default{{end}}{{template "partials/foot.html" .}}</html>`,
		"layouts/other.html", `<other>{{block "main" .}}other default{{end}}</other>`,
		"layouts/article.html", `{{template "layouts/base.html" .}}{{define "main"}}<article>{{block "body" .}}{{end}}</article>{{end}}`,
		"partials/foot.html", `<p>{{.site}}</p>`,
		"partials/cards.html", `{{define "card"}}[{{.}}]{{end}}`,
		"home.html", `{{template "layouts/base.html" .}}{{define "main"}}home {{template "card" .site}}{{end}}`,
		"plain.html", `{{template "layouts/base.html" .}}`,
		"blog/post.html", `{{template "layouts/article.html" .}}{{define "body"}}post{{end}}`,
		"empty.html", `{{template "layouts/other.html" .}}{{define "main"}}{{end}}`,
		"feed.txt", "text", ".hidden.html", "{{", ".git/x.html", "{{", "README", "{{", "x.html~", "{{",
	)
	if diff := cmp.Diff([]string{"blog/post.html", "empty.html", "feed.txt", "home.html", "plain.html"}, templates.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"home.html":      "<html>home [S]<p>S</p></html>",
		"plain.html":     "<html>default<p>S</p></html>",
		"blog/post.html": "<html><article>post</article><p>S</p></html>",
		"empty.html":     "<other></other>",
	} {
		got, err := templates.execute(t.Context(), name, 1000, map[string]any{"site": "S"})
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	want := []string{"home.html", "layouts/base.html", "partials/cards.html", "partials/foot.html"}
	if diff := cmp.Diff(want, templates.pages["home.html"].files); diff != "" {
		t.Errorf("files of home.html (-want +got):\n%s", diff)
	}
}

func TestLoadTemplates_errors(t *testing.T) {
	for name, tc := range map[string]struct {
		files []string
		want  string
	}{
		"syntax":         {[]string{"a.html", "x\n{{if}}"}, "a.html:2: missing value for if"},
		"function":       {[]string{"a.html", "\n\n{{nope .x}}"}, `a.html:3: function "nope" not defined`},
		"shared syntax":  {[]string{"partials/a.html", "{{"}, "partials/a.html:1:"},
		"missing":        {[]string{"a.html", `{{template "layouts/bsae.html" .}}`}, `a.html:1:11: there is no template "layouts/bsae.html"`},
		"missing deeper": {[]string{"a.html", `{{template "partials/b.html"}}`, "partials/b.html", `{{template "c"}}`}, `partials/b.html:1:11: there is no template "c"`},
		"a page":         {[]string{"a.html", `{{template "b.html"}}`, "b.html", ""}, "b.html is a page"},
		"other family":   {[]string{"a.html", `{{template "partials/b.txt"}}`, "partials/b.txt", ""}, "escaped as text, and this page as HTML"},
		"two definers": {[]string{"a.html", `{{template "card"}}`, "partials/b.html", `{{define "card"}}x{{end}}`,
			"partials/c.html", `{{define "card"}}x{{end}}`}, `"card" is defined in partials/b.html and partials/c.html`},
		"no escape":      {[]string{"a.html", `<a href='{{if .x}}"{{else}}'{{end}}>`}, "a.html:1:"},
		"cdata":          {[]string{"a.xml", "<a>\n<![CDATA[{{.x}}]]></a>"}, "a.xml:2: an action inside <![CDATA["},
		"xml comment":    {[]string{"a.xml", "<!-- a -->\n\n<!-- {{.x}} -->"}, "a.xml:3: an action inside <!--"},
		"not UTF-8":      {[]string{"a.html", "\xff"}, "not valid UTF-8"},
		"all are named":  {[]string{"a.html", "{{", "b.html", "{{"}, "b.html:1:"},
		"defined twice":  {[]string{"a.html", `{{define "x"}}1{{end}}{{define "x"}}2{{end}}`}, `multiple definition of template "x"`},
		"deeper no file": {[]string{"a.html", `{{if .x}}{{else}}{{range .y}}{{template "z"}}{{end}}{{end}}`}, `there is no template "z"`},
	} {
		_, err := LoadTemplates(files(tc.files...))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

func TestLoadTemplates_missingFolder(t *testing.T) {
	if _, err := LoadTemplates(brokenFS{}); err == nil || !strings.HasPrefix(err.Error(), "read templates: ") {
		t.Errorf("error %v", err)
	}
}

func TestLoadTemplates_byteOrderMarkIsNoText(t *testing.T) {
	if got, err := show(t, "a.html", "\ufeff<p>", nil); err != nil || got != "<p>" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTemplates_escapesForItsFamily(t *testing.T) {
	data := map[string]any{
		"t": `</script><script>alert("1")</script>&'`, "n": 12345678, "nil": nil, "ok": true,
		"u": "javascript:alert(1)", "l": []any{1, "a"}, "go": "{{.n}}<?php ?><!--#include-->", "bad": "a\x00\x0b",
	}
	for _, tc := range []struct{ name, src, want string }{
		{"a.html", `<p title="{{.t}}">`, `<p title="&lt;/script&gt;&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&amp;&#39;">`},
		{"a.html", `{{.n}}{{.nil}}|{{.go}}`, `12345678|{{.n}}&lt;?php ?&gt;&lt;!--#include--&gt;`},
		{"a.html", `<a href="{{.u}}">`, `<a href="#ZgotmplZ">`},
		{"a.html", `<script>x = {{.l}}</script>`, `<script>x = [1,"a"]</script>`},
		{"a.xml", `<?xml version="1.0"?><a b="{{.t}}">{{.t}}</a>`,
			`<?xml version="1.0"?><a b="&lt;/script&gt;&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&amp;&#39;">` +
				`&lt;/script&gt;&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&amp;&#39;</a>`},
		{"a.xml", `{{trusted "<b>"}}{{.n}}{{.nil}}{{.bad}}`, "&lt;b&gt;12345678a\uFFFD\uFFFD"},
		{"a.xml", `{{$x := .t}}{{if .ok}}{{with .n}}{{.}}{{end}}{{range .l}}{{.}};{{end}}{{end}}`, "123456781;a;"},
		{"a.xml", `{{define "x"}}{{.}}{{end}}{{template "x" "<"}}`, "&lt;"},
		{"a.json", `{"t": {{.t}}, "n": {{.n}}, "nil": {{.nil}}, "l": {{.l}}}`,
			`{"t": "\u003c/script\u003e\u003cscript\u003ealert(\"1\")\u003c/script\u003e\u0026'", "n": 12345678, "nil": null, "l": [1,"a"]}`},
		{"a.txt", `{{.t}}{{.n}}{{.nil}}{{.ok}}`, `</script><script>alert("1")</script>&'12345678true`},
	} {
		got, err := show(t, tc.name, tc.src, data)
		if err != nil || got != tc.want {
			t.Errorf("%s %s:\n got %s, %v\nwant %s", tc.name, tc.src, got, err, tc.want)
		}
	}
}

func TestTemplates_feedStaysWellFormed(t *testing.T) {
	const hostile = "]]></title><item/>&\"'<!-- \x00\x0b\uFFFE ]]> &nbsp; {{.x}} 🚀"
	got, err := show(t, "feed.xml", `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>{{.title}}</title>{{range .posts}}
<item><link>{{.link}}</link><guid isPermaLink='{{.link}}'>{{.id}}</guid><description>{{trusted .html}}</description></item>{{end}}
</channel></rss>`, map[string]any{"title": hostile, "posts": []any{
		map[string]any{"link": hostile, "id": 7, "html": "<p>" + hostile},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var feed struct {
		Channel struct {
			Title string `xml:"title"`
			Items []struct {
				Link string `xml:"link"`
				HTML string `xml:"description"`
				GUID struct {
					Link string `xml:"isPermaLink,attr"`
				} `xml:"guid"`
			} `xml:"item"`
		} `xml:"channel"`
	}
	if err := xml.NewDecoder(strings.NewReader(got)).Decode(&feed); err != nil {
		t.Fatalf("not XML: %v\n%s", err, got)
	}
	want := strings.NewReplacer("\x00", "\uFFFD", "\x0b", "\uFFFD", "\uFFFE", "\uFFFD").Replace(hostile)
	if len(feed.Channel.Items) != 1 {
		t.Fatalf("%d items, want 1", len(feed.Channel.Items))
	}
	item := feed.Channel.Items[0]
	if feed.Channel.Title != want || item.Link != want || item.GUID.Link != want || item.HTML != "<p>"+want {
		t.Errorf("the data came back changed: %+v", feed)
	}
}

func TestTemplates_funcs(t *testing.T) {
	data := map[string]any{
		"h":   `<p onclick="x()">a <b>b</b>c</p><script>alert(1)</script><p>d &lt;i&gt; &amp;&nbsp;e</p><style>p{}</style><br>f<!-- g -->`,
		"nil": nil, "m": map[string]any{}, "n": 7, "wp": "2026-05-01T09:08:07", "z": "2026-05-01T09:08:07+02:00", "empty": "",
	}
	for _, tc := range []struct{ src, want string }{
		{`{{trusted .h}}`, data["h"].(string)},
		{`{{sanitized .h}}`, `<p>a <b>b</b>c</p><p>d &lt;i&gt; &amp; e</p><br>f`},
		{`{{plain .h}}`, `a bc d &lt;i&gt; &amp; e f`},
		{`{{plain "<script>x"}}|{{plain "a<script/>b</script>c"}}|{{plain "a < b"}}|{{plain "<iframe>x</iframe>y"}}`, `|a c|a &lt; b|y`},
		{`{{trusted .nil}}{{sanitized .nil}}{{plain .nil}}{{date "2006" .nil}}`, ``},
		{`{{plain (trusted "<b>x</b>")}}`, `x`},
		{`{{date "2 Jan 2006 15:04" .wp}}`, `1 May 2026 09:08`},
		{`{{date "Mon, 02 Jan 2006 15:04:05 -0700" .z}}`, `Fri, 01 May 2026 09:08:07 &#43;0200`},
		{`{{date "2006" "2026-05-01"}} {{date "15" "2026-05-01 10:00:00"}}`, `2026 10`},
	} {
		got, err := show(t, "a.html", tc.src, data)
		got = strings.ReplaceAll(got, "\u00a0", " ")
		if err != nil || got != tc.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", tc.src, got, err, tc.want)
		}
	}
	for _, tc := range []struct{ src, want string }{
		{`{{trusted .m}}`, "trusted wants a text and got a map"},
		{`{{sanitized .n}}`, "sanitized wants a text and got a int"},
		{`{{plain .n}}`, "plain wants"},
		{`{{date "2006" .n}}`, "date wants"},
		{`{{date "2006" "soon"}}`, "date cannot read"},
		{`{{date "2006" .empty}}`, "date cannot read"},
		{"\n{{.missing}}", `a.html:2:2: executing "a.html" at <.missing>: map has no entry for key "missing"`},
		{`{{.nil.deeper}}`, "nil"},
	} {
		got, err := show(t, "a.html", tc.src, data)
		if err == nil || got != "" || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %q, error %v, want %q", tc.src, got, err, tc.want)
		}
	}
	for _, name := range []string{"a.txt", "a.xml"} {
		if _, err := show(t, name, `{{.m}}`, data); err == nil || !strings.Contains(err.Error(), "a map is no text") {
			t.Errorf("%s: a map was shown, error %v", name, err)
		}
	}
}

func TestTemplates_outputIsJSONOrAnError(t *testing.T) {
	_, err := show(t, "a.json", `{"t": "{{.t}}"}`, map[string]any{"t": "x"})
	if err == nil || !strings.Contains(err.Error(), "the output is not JSON") {
		t.Errorf("error %v", err)
	}
}

func TestTemplates_tooLarge(t *testing.T) {
	for name, src := range map[string]string{
		"recursion": `{{define "x"}}y{{template "x" .}}{{end}}{{template "x" .}}`,
		"range":     `{{range 100000000}}y{{end}}`,
	} {
		for _, file := range []string{"a.html", "a.txt"} {
			body, err := mustLoad(t, file, src).execute(t.Context(), file, 1000, nil)
			var refused *storage.RefusedError
			if body != nil || !errors.As(err, &refused) || refused.Gate != "too_large" {
				t.Errorf("%s in %s: %d bytes, error %v, want too_large", name, file, len(body), err)
			}
		}
	}
}

func TestTemplates_exactlyTheLimit(t *testing.T) {
	if body, err := mustLoad(t, "a.html", "12345").execute(t.Context(), "a.html", 5, nil); err != nil || len(body) != 5 {
		t.Errorf("%q, %v", body, err)
	}
}

func TestTemplates_silentRecursionEnds(t *testing.T) {
	if _, err := show(t, "a.html", `{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}`, nil); err == nil {
		t.Error("no error")
	}
}

func TestTemplates_contextEndsATemplate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	templates := mustLoad(t, "a.html", `{{range 1000000000}}{{call $.stop}}{{end}}`)
	n := 0
	_, err := templates.execute(ctx, "a.html", 1<<40, map[string]any{"stop": func() string {
		if n++; n == 3 {
			cancel()
		}
		return "x"
	}})
	var temporary *storage.TemporaryError
	if !errors.As(err, &temporary) || !errors.Is(err, context.Canceled) || n > 4 {
		t.Errorf("after %d rounds: error %v, want context.Canceled, temporary", n, err)
	}
}

func TestTemplates_panicIsAnError(t *testing.T) {
	templates := &Templates{pages: map[string]*page{"a.html": {family: familyHTML, run: panics{}}}}
	if _, err := templates.execute(t.Context(), "a.html", 10, nil); err == nil || !strings.Contains(err.Error(), "panic: boom") {
		t.Errorf("error %v", err)
	}
	_, err := show(t, "b.html", `{{call .f}}`, map[string]any{"f": func() string { panic("boom") }})
	if err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("error %v", err)
	}
}

type panics struct{}

func (panics) Execute(io.Writer, any) error { panic("boom") }
