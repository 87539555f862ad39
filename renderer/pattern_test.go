package renderer

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
)

func mustPath(t testing.TB, s string) storage.Path {
	t.Helper()
	p, err := storage.PathRules{WellKnown: []string{"/.well-known/acme"}}.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPattern_Match(t *testing.T) {
	type params = map[string]string
	for _, tc := range []struct {
		pattern, path string
		want          params // nil: no match
	}{
		{"/", "/", params{}},
		{"/", "/a", nil},
		{"/about", "/about", params{}},
		{"/about/", "/about", params{}},
		{"/about", "/", nil},
		{"/about", "/About", nil},
		{"/blog/{slug}", "/blog/a", params{"slug": "a"}},
		{"/blog/{slug}", "/blog/café au lait", nil}, // no such path
		{"/blog/{slug}", "/blog/café", params{"slug": "café"}},
		{"/blog/{slug}", "/blog", nil},
		{"/blog/{slug}", "/blog/a/b", nil},
		{"/{lang}/blog/{slug}", "/nl/blog/a", params{"lang": "nl", "slug": "a"}},
		{"/shop/{rest...}", "/shop/a", params{"rest": "a"}},
		{"/shop/{rest...}", "/shop/a/b/c", params{"rest": "a/b/c"}},
		{"/shop/{rest...}", "/shop", nil},
		{"/{rest...}", "/", nil},
		{"/{rest...}", "/a/b", params{"rest": "a/b"}},
		{"/feed.xml", "/feed.xml", params{}},
		{"/feed.xml", "/feed-xml", nil},
		{"/{slug}.xml", "/news.xml", params{"slug": "news"}},
		{"/{slug}.xml", "/news.txt", nil},
		{"/tag-{tag}-x/{n}", "/tag-a-b-x/2", params{"tag": "a-b", "n": "2"}},
		{"/aa{x}aa", "/aaa", nil},
		{"/aa{x}aa", "/aaaa", nil},
		{"/aa{x}aa", "/aaaaa", params{"x": "a"}},
		{"/.well-known/acme/{token}", "/.well-known/acme/x", params{"token": "x"}},
	} {
		pattern, err := ParsePattern(tc.pattern)
		if err != nil {
			t.Errorf("ParsePattern(%q): %v", tc.pattern, err)
			continue
		}
		path, err := storage.PathRules{WellKnown: []string{"/.well-known/acme"}}.Parse(tc.path)
		if err != nil && tc.want == nil {
			continue
		}
		got, ok := pattern.Match(path)
		if ok != (tc.want != nil) {
			t.Errorf("%s matches %s: %v", tc.pattern, tc.path, ok)
		} else if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", tc.pattern, tc.path, diff)
		}
	}
}

func TestPattern_RegexpMatchesWhatMatchDoes(t *testing.T) {
	patterns := []string{
		"/", "/about", "/blog/{slug}", "/{lang}/blog/{slug}", "/shop/{rest...}", "/{rest...}", "/{a}", "/feed.xml", "/{slug}.xml",
		"/tag-{tag}-x/{n}", "/aa{x}aa", "/.well-known/acme/{token}", "/café/{x}", "/-._~!$'()*+,=@a/{x}", "/$x",
	}
	paths := []string{
		"/", "/about", "/abouts", "/a", "/blog", "/blog/a", "/blog/a/b", "/blog/café", "/nl/blog/a", "/shop", "/shop/a", "/shop/a/b/c",
		"/shop2/a", "/x/shop/a", "/feed.xml", "/feed-xml", "/feed.xml2", "/news.xml", "/.well-known/acme/x", "/tag-a-b-x/2", "/tag--x/2",
		"/aaa", "/aaaa", "/aaaaa", "/café/é", "/-._~!$'()*+,=@a/x", "/$x", "/x", "/(a", "/a*",
	}
	matched := 0
	for _, text := range patterns {
		pattern, err := ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		re := regexp.MustCompile(pattern.Regexp())
		for _, s := range paths {
			_, want := pattern.Match(mustPath(t, s))
			forms := []string{s}
			if s != "/" {
				forms = append(forms, s+"/")
			}
			for _, form := range forms {
				if got := re.MatchString(form); got != want {
					t.Errorf("%s matches %s: %v; %s: %v", text, s, want, re, got)
				}
			}
			if want {
				matched++
			}
		}
		if strings.ContainsAny(re.String(), "\"\\{}") {
			t.Errorf("%s gives %s, which a configuration would read", text, re)
		}
	}
	if matched < 20 {
		t.Errorf("%d matches; the test looks at nothing", matched)
	}
	if got := (Pattern{}).Regexp(); got != "" {
		t.Errorf("the zero pattern gives %q", got)
	}
}

func TestPattern_zeroMatchesNothing(t *testing.T) {
	if _, ok := (Pattern{}).Match(mustPath(t, "/")); ok {
		t.Error("the zero pattern matches /")
	}
	root, err := ParsePattern("/")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := root.Match(storage.Path{}); ok {
		t.Error("/ matches the zero path")
	}
}

func TestParsePattern_errors(t *testing.T) {
	for _, tc := range []struct{ pattern, want string }{
		{"", "must start with /"},
		{"blog/{slug}", "must start with /"},
		{"/{a}/{a}", "{a} stands there twice"},
		{"/{rest...}/x", "{rest...} must be the last segment"},
		{"/x{rest...}", "must be a whole segment"},
		{"/{}", "a name is missing"},
		{"/{...}", "a name is missing"},
		{"/{a-b}", "is no name"},
		{"/{1a}", "is no name"},
		{"/{in}", "word of the expression language"},
		{"/{path...}", "meaning of its own"},
		{"/{params}", "meaning of its own"},
		{"/{site}", "meaning of its own"},
		{"/{a}{b}", "more than one parameter"},
		{"/{a}-{b}", "more than one parameter"},
		{"/{a", "{ without its }"},
		{"/a}", "} without a {"},
		{"/{{a}}", "more than one parameter"},
		{"/a//b", "empty_segment"},
		{"/../{a}", "dot_segment"},
		{"/.git/{a}", "dotfile"},
		{"/.{a}", "dotfile"},
		{"/{a}.gz", "reserved_suffix"},
		{"/a b", "charset"},
		{"/a?x={b}", "charset"},
		{"/index.html", "reserved"},
		{"/%41", "percent"},
		{"/.well-known", "must name what it wants"},
		{"/.well-known/{x}", "must name what it wants"},
		{"/.well-known/a-{x}", "must name what it wants"},
	} {
		_, err := ParsePattern(tc.pattern)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("ParsePattern(%q): error %v, want %q", tc.pattern, err, tc.want)
		}
	}
}

func TestPattern_wellKnownPrefix(t *testing.T) {
	for pattern, want := range map[string]string{
		"/.well-known/security.txt":   "/.well-known/security.txt",
		"/.well-known/acme/{x}/y":     "/.well-known/acme",
		"/.well-known/acme/a-{x}.txt": "/.well-known/acme",
		"/a/{x}":                      "",
		"/":                           "",
	} {
		p, err := ParsePattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.wellKnown(); got != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
}
