package storage

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hostile is the path part of the fault matrix: each row has its id. Decoded
// inputs are what a JSON body or a query gives after its own decoding, escaped
// ones are a URL's. An empty code means that the path is good.
//
// Rows that need other floors are tested there: H17 and H18 (two pages, one
// directory) with the site, H24 and H25 (how many paths, and how a query is
// decoded) with the API.
var hostile = []struct {
	name    string
	rules   PathRules
	decoded []string
	escaped []string
	code    string
}{
	{name: "H01 dot segments", code: "dot_segment",
		decoded: []string{"/../../etc/passwd", "/a/../b", "/a/..", "/a/../", "/..", "/.", "/./a", "/a/./b", "../a"},
		escaped: []string{"/../../etc/passwd", "/a/../b"}},
	{name: "H02 escaped dot segments", code: "dot_segment",
		escaped: []string{"%2e%2e%2fetc/passwd", "/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/%2E%2E/", "%2E%2e/", "/a/%2e"}},
	{name: "H03 double escapes", code: "percent",
		decoded: []string{"/%2e%2e%2f", "/100%"},
		escaped: []string{"%252e%252e%252f", "/%252e%252e%252f", "/a%2500", "/%zz", "/%", "/a%2"}},
	{name: "H04 NUL", code: "control",
		decoded: []string{"/a\x00b", "\x00"},
		escaped: []string{"/a%00b", "/a%00.html"}},
	{name: "H05 control and invisible characters", code: "control",
		decoded: []string{"/a\r", "/a\n", "/a\tb", "/a\x7f", "/a\u0085", "/a\u2028b", "/a\u2029", "/a\u202eb", "/a\u2066b",
			"/a\u200eb", "/a\u200b", "/a\ufeff", "/a\u3164", "\r", "\n/a"},
		escaped: []string{"%0d%0aSet-Cookie:x", "/%0d%0aSet-Cookie:x", "/a%E2%80%AEb"}},
	{name: "H06 empty segments", code: "empty_segment",
		decoded: []string{"//evil.com", "/a//b", "///", "//", "/a//", "//evil.com/"},
		escaped: []string{"/%2fevil.com", "%2f%2fevil.com"}},
	{name: "H07 backslashes", code: "backslash",
		decoded: []string{`\..\x`, `/a\b`, `/\evil.com`, `\\evil.com\x`},
		escaped: []string{"%5c", "/a%5cb", "/%5C%5Cevil.com"}},
	{name: "H08 not absolute", code: "not_absolute",
		decoded: []string{"http://h/a", "https:/a", "a/b", "", "a", "?path=/a"},
		escaped: []string{"http://h/a", "a%2fb", ""}},
	{name: "H09 longest path", decoded: []string{long(1024)}, escaped: []string{strings.ReplaceAll(long(1024), "a", "%61")}},
	{name: "H09 too long paths", code: "too_long",
		decoded: []string{long(1025), long(4096), long(8 << 10), strings.Repeat("/..", 350), strings.Repeat("\xff", 1<<20)},
		escaped: []string{long(1025), strings.Repeat("%61", 1025), strings.Repeat("%", 1<<20)}},
	{name: "H10 longest segment", decoded: []string{segment(200), segment(200) + "/" + segment(200)[1:], "/" + strings.Repeat("é", 100)}},
	{name: "H10 too long segments", code: "segment_too_long",
		decoded: []string{segment(201), segment(236), segment(255), segment(256), "/a" + segment(201) + "/b", "/" + strings.Repeat("é", 101)}},
	{name: "H11 deepest path", decoded: []string{strings.Repeat("/a", 32), strings.Repeat("/a", 32) + "/"}},
	{name: "H11 too deep paths", code: "too_deep", decoded: []string{strings.Repeat("/a", 33), strings.Repeat("/a", 500)}},
	{name: "H12 outer spaces and dots", code: "trailing",
		decoded: []string{"/a.", "/a..", "/a ", " /a", "/ a", "/a./b", "/a /b", "/a /"},
		escaped: []string{"/a%20", "/a%2e", "%20/a"}},
	{name: "H13 dot files", code: "dotfile",
		decoded: []string{"/.env", "/.git/config", "/a/.x", "/.index.html123", "/...", "/.htaccess/"},
		escaped: []string{"/%2eenv"}},
	{name: "H14 well-known paths that no route names", code: "dotfile",
		decoded: []string{"/.well-known/x", "/.well-known", "/.well-known/"}},
	{name: "H14 well-known paths beside the one that a route names", code: "dotfile",
		rules:   PathRules{WellKnown: []string{"/.well-known/x"}},
		decoded: []string{"/.well-known/xy", "/.well-known", "/.well-known/x/.y", "/.well-known-x", "/a/.well-known/x", "/.env"}},
	{name: "H14 a rule that is too wide opens no other dot file", code: "dotfile",
		rules: PathRules{WellKnown: []string{"/", "/.git"}}, decoded: []string{"/.env", "/.git/config"}},
	{name: "H14 well-known path that a route names",
		rules:   PathRules{WellKnown: []string{"/.well-known/x/"}},
		decoded: []string{"/.well-known/x", "/.well-known/x/", "/.well-known/x/security.txt"}},
	{name: "H15 index is a page", decoded: []string{"/index", "/index/", "/a/index", "/myindex.html", "/index.htm", "/sitemap_index.xml", "/index.rss", "/index.min.json"}},
	{name: "H15 index.html is a file", code: "reserved",
		decoded: []string{"/index.html", "/a/index.html", "/INDEX.HTML", "/Index.Html/", "/index.html/a"}},
	{name: "H15 so is the index of another type", code: "reserved",
		decoded: []string{"/index.xml", "/feed/Index.XML", "/a/index.json/", "/index.txt", "/index.xml/a", "/index.j\u017fon"}},
	{name: "H16 a trailing slash", decoded: []string{"/a/", "/a/b/", "/feed.xml/"}, escaped: []string{"/a%2f"}},
	{name: "H19 suffixes of rebake's own files", code: "reserved_suffix",
		decoded: []string{"/a.gz", "/a.br", "/x/index.html.gz", "/a.tmp", "/a.isr", "/a.rebake", "/A.GZ", "/a.gz/", "/a.gz/b"}},
	{name: "H20 two cases are two pages", decoded: []string{"/A", "/a", "/É"}},
	{name: "H20 upper case where the file system folds it", code: "case_collision",
		rules: PathRules{FoldCase: true}, decoded: []string{"/A", "/a/B", "/É"}},
	{name: "H20 lower case where the file system folds it", rules: PathRules{FoldCase: true}, decoded: []string{"/", "/a", "/é-1"}},
	{name: "H21 normal form C", escaped: []string{"/caf%C3%A9"}, decoded: []string{"/café"}},
	{name: "H21 other normal forms", code: "not_nfc",
		escaped: []string{"/cafe%CC%81"}, decoded: []string{"/a=\u0338", "/\u212b", "/\u212a"}},
	{name: "H22 invalid UTF-8", code: "bad_utf8",
		escaped: []string{"%ff%fe", "/%ff%fe", "/%c0%ae%c0%ae/etc", "/%ed%a0%80", "/a%c3"},
		decoded: []string{"/\xff", "/what-json-made-of-it-\ufffd"}},
	{name: "H23 queries, fragments and other characters", code: "charset",
		decoded: []string{"/a?x=1", "/a#b", "/a;jsessionid=1", "/a:b", "/a|b", "/<a", "/a>", `/"a`, "/a&b", "/{a}", "/[a]", "/a^", "/a`b",
			"/a\u00a0b", "/a\u3000b", "/a–b", "/\ue000"},
		escaped: []string{"/a?x=1", "/a%3fx", "/a%23", "/a%3Cscript%3E"}},
	{name: "H26 a space from a plus in a query", code: "charset", decoded: []string{"/a b"}, escaped: []string{"/a%20b"}},
	{name: "H26 an escaped plus", decoded: []string{"/a+b"}, escaped: []string{"/a+b", "/a%2Bb"}},
	{name: "H27 foreign names",
		decoded: []string{"/раураl", "/xn--e1awd7f", "/🍞", "/❤️", "/👍🏽", "/שלום", "/日本語", "/हिन्दी", "/-._~!$'()*+,=@a"}},
	{name: "H28 reserved routes", code: "reserved_route",
		rules:   PathRules{Reserved: []string{"/api/revalidate", "/admin", "/metrics", "/assets/"}},
		decoded: []string{"/api/revalidate", "/api/revalidate/", "/admin", "/admin/x", "/metrics", "/assets", "/assets/a.css"},
		escaped: []string{"/%61dmin"}},
	{name: "H28 names that only begin like reserved ones",
		rules:   PathRules{Reserved: []string{"/api/revalidate", "/admin"}},
		decoded: []string{"/", "/api", "/api/revalidate2", "/administration", "/x/admin"}},
}

// long makes a good path of n bytes, but for its length.
func long(n int) string {
	return strings.Repeat("/"+strings.Repeat("a", 127), n/128+1)[:n-1] + "a"
}

// segment makes a path of one segment of n bytes.
func segment(n int) string { return "/" + strings.Repeat("a", n) }

func TestPathRules_Parse(t *testing.T) {
	for _, row := range hostile {
		t.Run(row.name, func(t *testing.T) {
			for _, in := range row.decoded {
				_, err := row.rules.Parse(in)
				checkCode(t, "Parse", in, err, row.code)
			}
			for _, in := range row.escaped {
				_, err := row.rules.ParseEscaped(in)
				checkCode(t, "ParseEscaped", in, err, row.code)
			}
		})
	}
}

func checkCode(t *testing.T, call, in string, err error, code string) {
	t.Helper()
	in = in[:min(len(in), 100)]
	var refused *PathError
	switch errors.As(err, &refused); {
	case err == nil && code != "":
		t.Errorf("%s(%q) accepts it, want %s", call, in, code)
	case err != nil && refused == nil:
		t.Errorf("%s(%q) = %T, want *PathError", call, in, err)
	case err != nil && refused.Code != code:
		t.Errorf("%s(%q) says %s, want %q", call, in, refused.Code, code)
	case err != nil && refused.Hint == "":
		t.Errorf("%s(%q): code %s has no hint", call, in, code)
	}
}

func TestPathRules_Parse_TrailingSlashIsTheSamePage(t *testing.T) {
	for _, s := range []string{"/a", "/a/b", "/feed.xml"} {
		if with, without := parse(t, s+"/"), parse(t, s); with != without {
			t.Errorf("%s/ is the page %q, %s is %q", s, with, s, without)
		}
	}
}

func TestPathError_CutsLongInput(t *testing.T) {
	_, err := ParsePath(strings.Repeat("é", 1<<20))
	if len(err.Error()) > 300 {
		t.Errorf("the message has %d bytes, want at most 300", len(err.Error()))
	}
}

func TestPath_Forms(t *testing.T) {
	type forms struct {
		File, Type, Escaped string
		Segments            []string
	}
	tests := map[string]forms{
		"/":              {"index.html", "", "/", nil},
		"/blog/a":        {"blog/a/index.html", "", "/blog/a", []string{"blog", "a"}},
		"/feed.xml":      {"feed.xml", "application/xml", "/feed.xml", []string{"feed.xml"}},
		"/about.html":    {"about.html", "text/html", "/about.html", []string{"about.html"}},
		"/feed.xml/x":    {"feed.xml/x/index.html", "", "/feed.xml/x", []string{"feed.xml", "x"}},
		"/releases/v1.2": {"releases/v1.2/index.html", "", "/releases/v1.2", []string{"releases", "v1.2"}},
		"/index":         {"index/index.html", "", "/index", []string{"index"}},
		"/café":          {"café/index.html", "", "/caf%C3%A9", []string{"café"}},
	}
	for s, want := range tests {
		t.Run(s, func(t *testing.T) {
			p := parse(t, s)
			got := forms{p.File(), p.FileType(), p.Escaped(), p.Segments()}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("forms of %s (-want +got):\n%s", s, diff)
			}
		})
	}
}

func TestPath_FileFor(t *testing.T) {
	for _, tc := range []struct{ path, mediaType, want string }{
		{"/feed", "application/rss+xml; charset=utf-8", "feed/index.xml"},
		{"/feed", "application/atom+xml", "feed/index.xml"},
		{"/feed", "Application/XML ;charset=utf-8", "feed/index.xml"},
		{"/", "application/json", "index.json"},
		{"/a/b", "text/plain", "a/b/index.txt"},
		{"/a", "text/html; charset=utf-8", "a/index.html"},
		{"/a.txt", "text/html", "a.txt"},
		{"/a.svg", "image/svg+xml", "a.svg"},
		{"/a", "image/svg+xml", ""},
		{"/a", "", ""},
	} {
		if got := parse(t, tc.path).FileFor(tc.mediaType); got != tc.want {
			t.Errorf("the file of %s as %q is %q, want %q", tc.path, tc.mediaType, got, tc.want)
		}
	}
}

func TestPath_ZeroNamesNoFile(t *testing.T) {
	var p Path
	if !p.IsZero() || p.File() != "" || p.FileFor("text/plain") != "" || p.Segments() != nil {
		t.Errorf("the zero path: IsZero %v, File %q, Segments %q", p.IsZero(), p.File(), p.Segments())
	}
}

func FuzzParsePath(f *testing.F) {
	for i, row := range hostile {
		next := hostile[(i+1)%len(hostile)]
		for _, in := range append(row.decoded, row.escaped...) {
			if len(in) <= 2*maxPath {
				f.Add(in, append(next.decoded, next.escaped...)[0])
			}
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, rules := range []PathRules{{}, {WellKnown: []string{"/.well-known"}}, {FoldCase: true}} {
			p, err := fuzzOne(t, rules, a)
			q, qerr := fuzzOne(t, rules, b)
			if err == nil && qerr == nil && p != q {
				checkFiles(t, p, q)
			}
		}
	})
}

// checkFiles finds a file that two pages would share.
func checkFiles(t *testing.T, p, q Path) {
	for a := range indexFiles {
		for b := range indexFiles {
			if p.FileFor(a) == q.FileFor(b) {
				t.Errorf("%q as %s and %q as %s are both %q", p, a, q, b, p.FileFor(a))
			}
		}
	}
}

// fuzzOne checks what every parsed path promises to those who hold it.
func fuzzOne(t *testing.T, rules PathRules, s string) (Path, error) {
	if p, err := rules.ParseEscaped(s); err == nil {
		checkPath(t, rules, p)
	}
	p, err := rules.Parse(s)
	if err == nil {
		checkPath(t, rules, p)
	}
	return p, err
}

func checkPath(t *testing.T, rules PathRules, p Path) {
	if again, err := rules.Parse(p.String()); again != p {
		t.Errorf("Parse(%q) = %q, %v, want the same", p, again, err)
	}
	if again, err := rules.ParseEscaped(p.Escaped()); again != p {
		t.Errorf("ParseEscaped(%q) = %q, %v, want %q", p.Escaped(), again, err, p)
	}
	file := p.File()
	if !filepath.IsLocal(file) || filepath.Clean(file) != file {
		t.Errorf("the file of %q is %q, not a clean local name", p, file)
	}
	for i, seg := range strings.Split(file, "/") {
		wellKnown := i == 0 && seg == ".well-known" && rules.WellKnown != nil
		if strings.HasPrefix(seg, ".") && !wellKnown {
			t.Errorf("the file of %q is %q, with a dot segment", p, file)
		}
	}
	if strings.HasSuffix(file, ".gz") || strings.HasSuffix(file, ".br") {
		t.Errorf("the file of %q is %q, the name of a sidecar", p, file)
	}
}

func parse(t *testing.T, s string) Path {
	t.Helper()
	p, err := ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
