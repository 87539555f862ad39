package origin

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// references returns what a file at https://www.example.com/blog/a/ names:
// "link …" or "asset …".
func referencesIn(t testing.TB, kind, text string) []string {
	t.Helper()
	base, err := url.Parse("https://www.example.com/blog/a/")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = References(strings.NewReader(text), kind, base, func(r Reference) {
		what := "link "
		if r.Asset {
			what = "asset "
		}
		got = append(got, what+strings.TrimPrefix(r.URL.String(), "https://www.example.com"))
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestReferences_ofAPage(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"a", `<a href="/x">`, []string{"link /x"}},
		{"a in capitals, without quotes", `<A HREF=/x>`, []string{"link /x"}},
		{"area, iframe", `<area href=/x><iframe src=/y></iframe>`, []string{"link /x", "link /y"}},
		{"relative", `<a href="../b"><a href="c">`, []string{"link /blog/b", "link /blog/a/c"}},
		{"spaces and an entity", `<a href=" /x?a=1&amp;b=2 ">`, []string{"link /x?a=1&b=2"}},
		{"a fragment", `<a href="/x#top"><a href="#top">`, []string{"link /x", "link /blog/a/"}},
		{"another host", `<a href="https://other.org/x"><a href="//cdn.org/y">`, []string{"link https://other.org/x", "link https://cdn.org/y"}},
		{"no place on the web", `<a href="mailto:a@b.c"><a href="javascript:x()"><img src="data:image/png;base64,AA"><a href="http://%zz"><a>`, nil},
		{"nofollow", `<a href=/x rel="UGC NoFollow"><a href=/y rel=noopener>`, []string{"link /y"}},
		{"base", `<base href="/en/"><base href="/de/"><a href=x>`, []string{"link /en/x"}},
		{"links of the head", `<link rel=next href=/n><link rel=prev href=/p><link rel="alternate" hreflang=de href=/de><link rel=canonical href=/c>`,
			[]string{"link /n", "link /p", "link /de", "link /c"}},
		{"links of the head that are none", `<link rel=preconnect href=/x><link rel=shortlink href=/y><link href=/z>`, nil},
		{"assets of the head", `<link rel=stylesheet href=a.css><link rel="shortcut icon" href=/i.ico><link rel=preload imagesrcset="/1.png 1x, /2.png 2x">
			<link rel=modulepreload href=/m.js><link rel=manifest href=/m.json><script src=/s.js></script>`,
			[]string{"asset /blog/a/a.css", "asset /i.ico", "asset /1.png", "asset /2.png", "asset /m.js", "asset /m.json", "asset /s.js"}},
		{"assets of the body", `<img src=/a.png srcset="/a-2.png 2x,/a-3.png"><video src=/v.mp4 poster=/p.jpg></video><source src=/v.webm><audio src=/a.mp3></audio><svg><use xlink:href="/s.svg#icon"/></svg>`,
			[]string{"asset /a.png", "asset /a-2.png", "asset /a-3.png", "asset /v.mp4", "asset /p.jpg", "asset /v.webm", "asset /a.mp3", "asset /s.svg"}},
		{"a set of sizes with commas in it", `<img srcset="/a,b.png 100w, /c.png 1.5x ,/d.png">`, []string{"asset /a,b.png", "asset /c.png", "asset /d.png"}},
		{"style", `<p style="background: url('/a.png')">text url(/no.png)</p><style>@import "/b.css"; p {background: url(/c.png)}</style>`,
			[]string{"asset /a.png", "asset /b.css", "asset /c.png"}},
		{"noscript", `<noscript><img src=/a.png></noscript>`, []string{"asset /a.png"}},
		{"what is no markup", `<!-- <a href=/x> --><script>"<a href=/y>"</script><textarea><a href=/z></textarea>`, nil},
		{"cut off", `<a href=/x><a href="/y`, []string{"link /x"}},
		{"twice", `<a href=/x href=/y>`, []string{"link /x"}},
		{"longer than any path", `<a href="/` + strings.Repeat("x", 5000) + `">`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, referencesIn(t, "text/html", tc.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReferences_ofAStyleSheet(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{`a {background: url(/a.png)}`, []string{"asset /a.png"}},
		{`a {background: URL( "../a b.png" )}`, []string{"asset /blog/a%20b.png"}},
		{`@import url(x.css) screen; @IMPORT 'y.css';`, []string{"asset /blog/a/x.css", "asset /blog/a/y.css"}},
		{`@import"/x.css";`, []string{"asset /x.css"}},
		{`/* url(/a.png) */ /*/ url(/b.png) */ a {content: "url(/c.png)"}`, nil},
		{`a {b: url(/a\29.png) url("/b\"\
c.png")}`, []string{"asset /a).png", "asset /b%22c.png"}},
		{`a {content: "\"} b {c: url(/d.png)"; e: url(/f.png)}`, []string{"asset /f.png"}},
		{`a {b: curl(/a.png)}`, nil},
		{`a {b: url(data:image/png;base64,AA)}`, nil},
		{`a {b: url(`, nil},
		{`a {b: url(\`, nil},
		{`/*`, nil},
		{`@import`, nil},
		{`\`, nil},
	} {
		if diff := cmp.Diff(tc.want, referencesIn(t, "text/css", tc.in)); diff != "" {
			t.Errorf("%s\n%s", tc.in, diff)
		}
	}
}

func TestReferences_ofOtherFilesAreNone(t *testing.T) {
	if got := referencesIn(t, "application/xml", `<a href="/x"/>`); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestReferences_tellsThatTheFileCannotBeRead(t *testing.T) {
	broken := errors.New("broken disk")
	for _, kind := range []string{"text/html", "text/css"} {
		r := io.MultiReader(strings.NewReader("<a href=/x>"), iotest.ErrReader(broken))
		if err := References(r, kind, &url.URL{Scheme: "https", Host: "www.example.com"}, func(Reference) {}); !errors.Is(err, broken) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

func TestIsAsset(t *testing.T) {
	for s, want := range map[string]bool{
		"/": false, "/a": false, "/v1.2": false, "/feed.xml": false, "/a.html": false, "/llms.txt": false,
		"/a.css": true, "/a.js": true, "/a.png": true, "/a.svg": true, "/a.pdf": true, "/app.webmanifest": true,
	} {
		if got := IsAsset(path(t, s)); got != want {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
}

func FuzzReferences_areAddressesOnTheWeb(f *testing.F) {
	f.Add(`<a href="/x"><style>@import "a"`)
	f.Add(`url(\`)
	f.Add(`<img srcset="a , b 1x,, c">`)
	f.Fuzz(func(t *testing.T, text string) {
		base := &url.URL{Scheme: "https", Host: "www.example.com", Path: "/a"}
		for _, kind := range []string{"text/html", "text/css"} {
			err := References(strings.NewReader(text), kind, base, func(r Reference) {
				if r.URL.Host == "" || r.URL.Fragment != "" || !strings.HasPrefix(r.URL.Scheme, "http") {
					t.Errorf("%q: %q", text, r.URL)
				}
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}
