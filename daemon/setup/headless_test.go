package setup

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/daemon/setup/setuptest"
)

func TestLook_headless(t *testing.T) {
	server := serve(t, setuptest.WordPress{})
	got, _ := look(t, Wish{URL: server, Headless: true})
	want := &Headless{
		Name: "The Slow Loaf", Description: "Bread & more", Lang: "en-GB", Home: server, Own: true, Scheme: "http",
		Post: "/{year}/{month}/{slug}", Category: "/category", Slash: true, Menu: []Link{{"About", "/about"}},
	}
	if diff := cmp.Diff(want, got.Headless); diff != "" {
		t.Errorf("headless (-want +got):\n%s", diff)
	}
}

func TestLook_headlessOfAnotherHost(t *testing.T) {
	got, _ := look(t, Wish{URL: site, Origin: serve(t, setuptest.WordPress{Home: "https://cms.example.com"}), Headless: true})
	if h := got.Headless; h.Own || h.Home != "https://cms.example.com" || h.AskAs != "" || got.URL != site {
		t.Errorf("got %+v of %s", h, got.URL)
	}
	if want := "set WordPress' Site Address (Settings, General) to " + site; !strings.Contains(strings.Join(got.Notes, "\n"), want) {
		t.Errorf("notes %q, want %q", got.Notes, want)
	}
}

// A server of many sites answers with any of them for a host that it does not
// know.
func TestLook_headlessAsksAsTheSite(t *testing.T) {
	mine, other := setuptest.WordPress{Home: site}, setuptest.WordPress{Home: "https://other.example"}
	got, _ := look(t, Wish{URL: site, Headless: true, Origin: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "www.example.com" {
			mine.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	}))})
	if h := got.Headless; h.AskAs != "www.example.com" || h.Scheme != "https" || h.Home != site {
		t.Errorf("got %+v", h)
	}
}

func TestLook_headlessWithoutAnAPI(t *testing.T) {
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && r.URL.Query().Get("rest_route") == "/" {
			r.URL.Path = "/wp-json/"
			setuptest.WordPress{}.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})
	for name, tc := range map[string]struct {
		handler http.Handler
		want    string
	}{
		"Next":             {setuptest.Next{}, "(the site runs Next.js): --headless can begin with that one alone"},
		"another":          {setuptest.Plain{}, "answers 200 and is no API of WordPress: --headless"},
		"plain permalinks": {plain, "uses plain permalinks"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lookError(t, Wish{URL: serve(t, tc.handler), Headless: true}); !strings.Contains(got, tc.want) {
				t.Errorf("%s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestLook_headlessWithoutPosts(t *testing.T) {
	wp := setuptest.WordPress{}
	got := lookError(t, Wish{Headless: true, URL: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/posts") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		wp.ServeHTTP(w, r)
	}))})
	if !strings.Contains(got, "/wp-json/wp/v2/posts answers 401; templates need it open to everybody") {
		t.Error(got)
	}
}

func TestLook_whereNothingAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := "http://" + l.Addr().String()
	l.Close()
	const way = "answers elsewhere, name that place: --origin "
	for name, tc := range map[string]struct {
		wish Wish
		want string
	}{
		"a site yet to come": {Wish{URL: nowhere, Headless: true}, "connection refused; if WordPress " + way + "https://cms.example.com"},
		"a site as it is":    {Wish{URL: nowhere}, "connection refused; if its own server " + way},
		"an origin":          {Wish{URL: site, Origin: nowhere, Headless: true}, ": connect: connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			got := lookError(t, tc.wish)
			if !strings.Contains(got, tc.want) || strings.Contains(got, way) != (tc.wish.Origin == "") {
				t.Errorf("%s\nwant %s", got, tc.want)
			}
		})
	}
}
