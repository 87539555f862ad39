package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// hostile is a path that no caller gets past. sent is its form in a URL.
type hostile struct{ id, sent, code string }

func hostilePaths() []hostile {
	return []hostile{
		{"H01", "/../../etc/passwd", "dot_segment"},
		{"H01", "/a/../b", "dot_segment"},
		{"H01", "/a/..", "dot_segment"},
		{"H01", "/./a", "dot_segment"},
		{"H02", "%2e%2e%2fetc", "dot_segment"},
		{"H02", "/%2E%2e/etc", "dot_segment"},
		{"H03", "%252e%252e%252f", "percent"},
		{"H03", "/a%252fb", "percent"},
		{"H04", "/a%00b", "control"},
		{"H05", "/a%0d%0aSet-Cookie:x", "control"},
		{"H05", "/a%0a", "control"},
		{"H05", "/a%09b", "control"},
		{"H05", "/a%7fb", "control"},
		{"H05", "/a%E2%80%A8b", "control"},
		{"H05", "/a%E2%80%AEb", "control"},
		{"H06", "//evil.com", "empty_segment"},
		{"H06", "/a//b", "empty_segment"},
		{"H06", "///", "empty_segment"},
		{"H07", "%5c..%5cx", "backslash"},
		{"H07", "/a%5Cb", "backslash"},
		{"H08", "http://h/a", "not_absolute"},
		{"H08", "https:/a", "not_absolute"},
		{"H08", "a/b", "not_absolute"},
		{"H08", "", "not_absolute"},
		{"H09", "/" + strings.Repeat("a/", 512), "too_long"},
		{"H09", "/" + strings.Repeat("a", 4096), "too_long"},
		{"H09", "/" + strings.Repeat("a", 8192), "too_long"},
		{"H10", "/" + strings.Repeat("a", 201), "segment_too_long"},
		{"H10", "/" + strings.Repeat("a", 256), "segment_too_long"},
		{"H11", strings.Repeat("/a", 33), "too_deep"},
		{"H12", "/a.", "trailing"},
		{"H12", "/a...", "trailing"},
		{"H12", "/a%20", "trailing"},
		{"H12", "%20/a", "trailing"},
		{"H13", "/.env", "dotfile"},
		{"H13", "/.git/config", "dotfile"},
		{"H13", "/a/.x", "dotfile"},
		{"H13", "/.index.html123", "dotfile"},
		{"H14", "/.well-known/x", "dotfile"},
		{"H15", "/index.html", "reserved"},
		{"H15", "/a/index.html", "reserved"},
		{"H15", "/INDEX.HTML", "reserved"},
		{"H19", "/a.gz", "reserved_suffix"},
		{"H19", "/a.br", "reserved_suffix"},
		{"H19", "/x/index.html.gz", "reserved_suffix"},
		{"H19", "/a.tmp", "reserved_suffix"},
		{"H19", "/a.isr", "reserved_suffix"},
		{"H21", "/cafe%CC%81", "not_nfc"},
		{"H22", "/%ff%fe", "bad_utf8"},
		{"H22", "/%c0%ae", "bad_utf8"},
		{"H22", "/%ed%a0%80", "bad_utf8"},
		{"H23", "/a?x=1", "charset"},
		{"H23", "/a%3fx", "charset"},
		{"H23", "/a%23b", "charset"},
		{"H23", "/a%3bjsessionid=1", "charset"},
		{"H23", "/a:b", "charset"},
		{"H23", "/a|b", "charset"},
		{"H23", "/%3Cscript%3E", "charset"},
		{"H23", "/a%22b", "charset"},
		{"H23", "/a%20b", "charset"},
		{"H28", "/api/revalidate", "reserved_route"},
		{"H28", "/api", "reserved_route"},
		{"H28", "/admin/", "reserved_route"},
		{"H28", "/metrics", "reserved_route"},
		{"H28", "/assets", "reserved_route"},
		{"H28", "/assets/app.js", "reserved_route"},
		{"H28", "/_rebake/webhooks/cms", "reserved_route"},
		{"H28", "https://www.example.com/assets/app.js", "reserved_route"},
		{"H01", "https://www.example.com/%2e%2e/etc", "dot_segment"},
	}
}

// name keeps a test's name short.
func (h hostile) name() string { return fmt.Sprintf("%s %.40s", h.id, h.sent) }

func (h hostile) json() string {
	b, _ := json.Marshal(map[string]any{"paths": []string{"/good", h.sent}})
	return string(b)
}

func TestRevalidate_refusesPathInQuery(t *testing.T) {
	for _, h := range hostilePaths() {
		t.Run(h.name(), func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("GET", "path=/good&path="+h.sent, "").wants(400, h.code)
			f.idle()
		})
	}
}

func TestRevalidate_refusesPathInJSON(t *testing.T) {
	for _, h := range hostilePaths() {
		t.Run(h.name(), func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", h.json()).wants(400, h.code)
			f.idle()
		})
	}
}

func TestRevalidate_refusesPathThatOnlyJSONCanSay(t *testing.T) {
	for _, c := range []struct{ name, value, code string }{
		{"H04 NUL", `"/a\u0000b"`, "control"},
		{"H05 line break", `"/a\nb"`, "control"},
		{"H07 backslash", `"/a\\b"`, "backslash"},
		{"H09 1 MiB", `"/` + strings.Repeat("a", 1<<20-100) + `"`, "too_long"},
		{"H22 lone surrogate", `"/\ud800"`, "bad_utf8"},
		{"H22 raw bytes", "\"/\xff\xfe\"", "bad_utf8"},
		{"H23 fragment", `"/a#b"`, "charset"},
		{"null in a list", `["/good", null]`, "not_absolute"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", `{"path":`+c.value+`}`).wants(400, c.code)
			f.idle()
		})
	}
}

func TestRevalidate_H20_refusesUpperCaseWhereFilesFoldIt(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Rules.FoldCase = true })
	f.revalidate("GET", "path=/A", "").wants(400, "case_collision")
	f.idle()
}

func TestRevalidate_takesUnusualPath(t *testing.T) {
	for _, c := range []struct{ name, sent, want string }{
		{"H10 longest segment", "/" + strings.Repeat("a", 200), "/" + strings.Repeat("a", 200)},
		{"H11 deepest", strings.Repeat("/a", 32), strings.Repeat("/a", 32)},
		{"H15 index", "/index", "/index"},
		{"H16 slash at the end", "/a/", "/a"},
		{"H26 escaped plus", "/a%2Bb", "/a+b"},
		{"H27 emoji", "/%F0%9F%98%80", "/😀"},
		{"H27 right to left", "/%D7%A9%D7%9C", "/של"},
		{"H28 name that only begins like a reserved one", "/assets-2", "/assets-2"},
		{"file", "/feed.xml", "/feed.xml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("GET", "path="+c.sent, "")
			f.triggered(c.want)
		})
	}
}

func TestRevalidate_H14_wellKnownOfARoute(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Rules.WellKnown = []string{"/.well-known/security.txt"} })
	f.revalidate("GET", "path=/.well-known/security.txt", "")
	f.triggered("/.well-known/security.txt")
}

func TestRevalidate_H08_missingPath(t *testing.T) {
	for _, c := range []struct{ name, query, body string }{
		{"nothing", "", ""},
		{"other fields", "x=1", `{"y":[1]}`},
		{"empty list", "", `{"paths":[]}`},
		{"null", "", `{"path":null,"slug":null}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", c.query, c.body).wants(400, "missing_path")
			f.idle()
		})
	}
}

func TestRevalidate_manyPaths(t *testing.T) {
	paths := func(n int) url.Values {
		v := url.Values{}
		for i := range n {
			v.Add("path", fmt.Sprintf("/p/%d", i))
		}
		return v
	}
	t.Run("H24 as many as allowed", func(t *testing.T) {
		f := newFixture(t)
		f.revalidate("GET", paths(100).Encode(), "")
		f.triggered(paths(100)["path"]...)
	})
	t.Run("H24 one more, in a query", func(t *testing.T) {
		f := newFixture(t)
		f.revalidate("GET", paths(101).Encode(), "").wants(400, "too_many")
		f.idle()
	})
	t.Run("H24 one more, in every place together", func(t *testing.T) {
		f := newFixture(t)
		f.revalidate("POST", paths(99).Encode(), `{"path":"/a","slug":"b"}`).wants(400, "too_many")
		f.idle()
	})
	t.Run("H44 100,000 in JSON", func(t *testing.T) {
		f := newFixture(t)
		f.revalidate("POST", "", `{"paths":["/a"`+strings.Repeat(`,"/a"`, 1e5)+`]}`).wants(400, "too_many")
		f.idle()
	})
}

func TestRevalidate_unreadableQuery(t *testing.T) {
	for _, query := range []string{"path=/a;secret=x", "path=%zz", "path=/a&x=%", "path=/a%"} {
		t.Run("H25 "+query, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("GET", query, "").wants(400, "bad_query")
			f.idle()
		})
	}
}

func TestRevalidate_H26_plusIsSpaceInQuery(t *testing.T) {
	f := newFixture(t)
	f.revalidate("GET", "path=/a+b", "").wants(400, "charset")
	f.idle()
}
