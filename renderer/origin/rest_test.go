package origin

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"rebake/renderer/upstream"
	"rebake/storage"
)

func TestREST_asksAsNobodyByTheSitesHost(t *testing.T) {
	var asked *http.Request
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = w.Write([]byte(`[]`))
	}, kind(WordPress))
	resp, err := o.REST(t.Context(), "/posts?include=42", false)
	if err != nil || string(resp.Body) != "[]" {
		t.Fatalf("got %s, %v", resp.Body, err)
	}
	if asked.RequestURI != "/wp-json/wp/v2/posts?include=42" || asked.Host != "www.example.com" || asked.Header.Get("Accept") != "application/json" || asked.Header.Get("Cookie") != "" {
		t.Errorf("asked %s of %s with %v", asked.RequestURI, asked.Host, asked.Header)
	}
}

func TestREST_atItsOtherPlace(t *testing.T) {
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/?rest_route=/wp/v2/posts&include=42" {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(page)) // a theme that answers for everything
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`[1]`))
	}, kind(WordPress))
	if resp, err := o.REST(t.Context(), "/posts?include=42", false); err != nil || string(resp.Body) != "[1]" {
		t.Errorf("got %s, %v", resp.Body, err)
	}
}

func TestREST_whatIsNoAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		status    int
		kind      string
		gone      bool
		temporary bool
	}{
		"no API":         {status: 200, kind: "text/html", gone: true},
		"not there":      {status: 404, kind: "application/json", gone: true},
		"for some alone": {status: 401, kind: "application/json", temporary: true},
		"an update":      {status: 503, kind: "text/html", temporary: true},
		"an error":       {status: 500, kind: "application/json", temporary: true},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				w.Header().Set("Retry-After", "600")
				w.WriteHeader(tt.status)
			}, kind(WordPress))
			_, err := o.REST(t.Context(), "/posts?search=secret", false)
			var temporary *storage.TemporaryError
			if errors.Is(err, storage.ErrGone) != tt.gone || errors.As(err, &temporary) != tt.temporary || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v; want gone %v, temporary %v, and no query", err, tt.gone, tt.temporary)
			}
			if tt.status == 503 && temporary.After != 0 {
				t.Errorf("waits %s for what takes seconds", temporary.After)
			}
			if status := (*upstream.StatusError)(nil); tt.status != 200 && !errors.As(err, &status) {
				t.Errorf("%v does not tell the status", err)
			}
		})
	}
}
