package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// endless is a body that never ends.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	return len(b), nil
}

// H42: the row's limit is 256 KiB, the product's 1 MiB (max_body).
func TestRevalidate_bodyLimit(t *testing.T) {
	const head, tail = `{"path":"/a","x":"`, `"}`
	pad := func(n int) string { return head + strings.Repeat("x", n-len(head)-len(tail)) + tail }
	small := func(c *Config) { c.MaxBody = 256 }
	t.Run("at the limit", func(t *testing.T) {
		f := newFixture(t, small)
		f.revalidate("POST", "", pad(256))
		f.triggered("/a")
	})
	t.Run("H42 one byte over it", func(t *testing.T) {
		f := newFixture(t, small)
		f.revalidate("POST", "", pad(257)).wants(413, "too_large")
		f.idle()
	})
	t.Run("H42 endless", func(t *testing.T) {
		f := newFixture(t)
		r := httptest.NewRequest("POST", "/api/revalidate?path=/a&secret="+secret, endless{})
		serve(t, f.Public(), r).wants(413, "too_large")
		f.idle()
	})
	t.Run("on admin", func(t *testing.T) {
		f := newFixture(t, small)
		do(t, f.Admin(), "POST", "/v1/triggers", pad(257), "Authorization: Bearer "+adminToken).wants(413, "too_large")
		f.idle()
	})
}

func TestRevalidate_bodyThatBreaksOff(t *testing.T) {
	f := newFixture(t)
	body := io.MultiReader(strings.NewReader(`{"path":`), iotest.ErrReader(io.ErrUnexpectedEOF))
	r := httptest.NewRequest("POST", "/api/revalidate?secret="+secret, body)
	serve(t, f.Public(), r).wants(400, "bad_body")
	if s := f.logs.String(); strings.Contains(s, "ERROR") {
		t.Errorf("a sender's error is logged as ours: %s", s)
	}
	f.idle()
}

func TestRevalidate_unsupportedBody(t *testing.T) {
	for _, c := range []struct{ name, header, body, code string }{
		{"H42 gzip", "Content-Encoding: gzip", "\x1f\x8b", "encoding"},
		{"H42 two encodings", "Content-Encoding: gzip, br", `{"path":"/a"}`, "encoding"},
		{"XML", "Content-Type: application/xml", "<path>/a</path>", "content_type"},
		{"multipart", "Content-Type: multipart/form-data; boundary=x", "--x\r\n", "content_type"},
		{"text", "Content-Type: text/plain", "/a", "content_type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "path=/a", c.body, c.header).wants(415, c.code)
			f.idle()
		})
	}
}

func TestRevalidate_H44_hostileJSON(t *testing.T) {
	for _, c := range []struct{ name, body string }{
		{"depth in a path", `{"path":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}"},
		{"depth in another field", `{"path":"/a","x":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + "}"},
		{"depth without an end", strings.Repeat(`{"x":`, 100_000)},
		{"byte order mark", "\ufeff" + `{"path":"/a"}`},
		{"list", `[]`},
		{"list of paths", `["/a"]`},
		{"null", `null`},
		{"number", `1e400`},
		{"text", `"/a"`},
		{"number as path", `{"path":5}`},
		{"huge number as path", `{"path":1e400}`},
		{"object as path", `{"path":{"x":"/a"}}`},
		{"number in paths", `{"paths":["/a",5]}`},
		{"list in paths", `{"paths":[["/a"]]}`},
		{"true as slug", `{"slug":true}`},
		{"name twice", `{"path":"/a","path":"/b"}`},
		{"name twice, once escaped", `{"path":"/a","\u0070ath":"/b"}`},
		{"unknown name twice", `{"path":"/a","x":1,"x":2}`},
		{"second object", `{"path":"/a"}{"path":"/b"}`},
		{"text behind it", `{"path":"/a"} x`},
		{"no end", `{"path":"/a"`},
		{"comma at the end", `{"path":"/a",}`},
		{"single quotes", `{'path':'/a'}`},
		{"empty name only", `{`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", c.body, jsonType).wants(400, "bad_json")
			f.idle()
		})
	}
}

func TestRevalidate_numbersInOtherFields(t *testing.T) {
	f := newFixture(t)
	f.revalidate("POST", "", `{"path":"/a","postId":1e400,"wait":null,"recheck":null,"only_generated":null}`)
	f.triggered("/a")
}

func TestRevalidate_unreadableForm(t *testing.T) {
	f := newFixture(t)
	f.revalidate("POST", "", "path=/a&x=%zz", "Content-Type: application/x-www-form-urlencoded").wants(400, "bad_form")
	f.idle()
}

// FuzzInput asks that whatever is sent, the answer is one that a caller can
// understand, and nothing is done for a caller without the secret.
func FuzzInput(f *testing.F) {
	for _, seed := range []struct{ query, contentType, body string }{
		{"path=/a&slug=b&tag=c&wait=1", "", ""},
		{"path=%2e%2e&recheck=0", "application/json", `{"paths":["/a","https://www.example.com/b"],"tags":["x"]}`},
		{"", "application/x-www-form-urlencoded", "path=/a&secret=x&only_generated=1"},
		{"", "application/x-www-form-urlencoded", `{"slug":"caf%c3%a9","wait":"20s"}`},
		{"token=x", "a/b+json", `{"type":"post","data":{"id":1}}`},
		{"tags=a,,b&prefix=/x&postId=4", "application/json", `{"type":{},"data":{"id":"4","slug":"a__trashed","taxonomy":"category"},"tag":["x",""],"prefix":"/%2e%2e","contentType":"p","contentId":1e400}`},
		{"a;b", "text/plain", "\ufeff{}"},
		{"", "application/json", `{"path":"/\ud800","path":[null,1e400]}`},
	} {
		f.Add(seed.query, seed.contentType, seed.body)
	}
	f.Fuzz(func(t *testing.T, query, contentType, body string) {
		for name, value := range map[string]string{"Authorization": "Bearer " + secret, "X-Forwarded-For": "127.0.0.1"} {
			fix := newFixture(t)
			r := httptest.NewRequest("POST", "/api/revalidate", strings.NewReader(body))
			r.URL.RawQuery = query
			r.Header = http.Header{"Content-Type": {contentType}, name: {value}}
			w := serve(t, fix.Public(), r)
			switch {
			case name != "Authorization" && (w.Code == 200 || len(fix.site.all()) > 0):
				t.Errorf("answer without the secret is %d %s", w.Code, w.Body)
			case w.Code != 200 && len(fix.site.all()) > 0:
				t.Errorf("answer is %d %s, and yet something was triggered", w.Code, w.Body)
			case w.Code >= 500:
				t.Errorf("answer is %d %s", w.Code, w.Body)
			}
		}
	})
}
