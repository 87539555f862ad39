package origin

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func writeManifest(t *testing.T, build, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(build, "prerender-manifest.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func nextAt(build string) func(*Config) {
	return func(c *Config) { c.Kind, c.Build = Next, build }
}

func TestSnapshot_ofNextRevalidatesEveryInstance(t *testing.T) {
	build := t.TempDir()
	writeManifest(t, build, `{"version":4,"preview":{"previewModeId":"the-id"}}`)
	var got []string
	note := func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.Header.Get("X-Prerender-Revalidate"))
		answerHTML(w, r)
	}
	other := httptest.NewServer(http.HandlerFunc(note))
	t.Cleanup(other.Close)
	o := newOrigin(t, note, nextAt(build), func(c *Config) { c.URLs = append(c.URLs, other.URL, "http://127.0.0.1:1") })
	for range 3 { // the third begins with the one that is down
		_, _ = o.Snapshot(t.Context(), Request{Path: path(t, "/a")})
	}
	want := "GET the-id, HEAD the-id, GET the-id, HEAD the-id"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("asked %s; want %s", s, want)
	}
}

func TestSnapshot_ofNextKnowsANewBuild(t *testing.T) {
	build := t.TempDir()
	var got string
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("X-Prerender-Revalidate")
		answerHTML(w, r)
	}, nextAt(build))
	for i, id := range []string{"one", "two"} {
		writeManifest(t, build, `{"preview":{"previewModeId":"`+id+`"}}`)
		then := time.Now().Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(filepath.Join(build, "prerender-manifest.json"), then, then); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")}); err != nil || got != id {
			t.Errorf("asked with %q (%v), want %q", got, err, id)
		}
	}
}

func TestSnapshot_ofNextWaitsForTheBuild(t *testing.T) {
	for name, text := range map[string]string{"missing": "", "being written": `{"previ`, "another's": `{}`} {
		build := t.TempDir()
		if text != "" {
			writeManifest(t, build, text)
		}
		_, err := newOrigin(t, answerHTML, nextAt(build)).Snapshot(t.Context(), Request{Path: path(t, "/a")})
		if outcome(err) != "temporary" {
			t.Errorf("%s: %v, want a temporary error", name, err)
		}
	}
}
