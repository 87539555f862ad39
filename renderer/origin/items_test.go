package origin

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// snapshotOf takes a snapshot of a page with one header more, "" for none.
func snapshotOf(t *testing.T, k Kind, contentType, body, items string) Snapshot {
	t.Helper()
	o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		if items != "" {
			w.Header().Set("Rebake-Items", items)
		}
		_, _ = w.Write([]byte(body))
	}, kind(k))
	s, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSnapshot_itemsOfAHeader(t *testing.T) {
	s := snapshotOf(t, Plain, "application/rss+xml", "<rss></rss>",
		"@2026-11-23T10:00:05Z, post:42@2026-11-23T10:00:00Z,article:a@b@7, page:1,, post:42@2026-11-23T09:00:00Z, x@"+strings.Repeat("9", 257)+"")
	if diff := cmp.Diff(map[string]string{"post:42": "2026-11-23T09:00:00Z", "article:a@b": "7"}, s.Versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"post:42", "article:a@b", "page:1", "x", "origin:app"}, s.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if want := "2026-11-23T10:00:05Z"; s.Made != want {
		t.Errorf("made = %q, want %q", s.Made, want)
	}
}

func TestSnapshot_itemsOfAPageAreNotPublished(t *testing.T) {
	s := snapshotOf(t, Plain, "text/html", `<!doctype html><head>
<title><meta name="rebake-items" content="no:1"></title>
<meta name="rebake-items" content="@2026-11-23T10:00:05Z, post:42@2026-11-23T10:00:00Z">
<META content='post:41@7' name=Rebake-Items><p>x</head><body><meta name="rebake-items" content="no:2"></body>`, "post:41@9, @soon")
	const want = `<!doctype html><head>
<title><meta name="rebake-items" content="no:1"></title>
<p>x</head><body><meta name="rebake-items" content="no:2"></body>`
	if diff := cmp.Diff(want, string(s.Body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	// Of a header and a page that differ, the page may show the older one.
	if diff := cmp.Diff(map[string]string{"post:42": "2026-11-23T10:00:00Z", "post:41": "7"}, s.Versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if want := "2026-11-23T10:00:05Z"; s.Made != want {
		t.Errorf("made = %q, want %q", s.Made, want)
	}
}

func FuzzReadHead(f *testing.F) {
	f.Add([]byte(`<head><meta name="rebake-items" content="a@1">` + "\n" + `<title></title></head>`))
	f.Add([]byte(`<meta name=rebake-items><body><meta name=rebake-items>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h := readHead(body)
		left := h.without(bytes.Clone(body))
		if again := readHead(left); len(h.cut) == 0 != bytes.Equal(left, body) || len(again.items) > len(h.items) {
			t.Errorf("%q of %q", left, body)
		}
	})
}
