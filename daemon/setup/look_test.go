package setup

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/daemon/setup/setuptest"
	"rebake/renderer/origin"
)

const site = "https://www.example.com"

func TestLook_sees(t *testing.T) {
	for name, tc := range map[string]struct {
		handler http.Handler
		want    Site
		why     string
	}{
		"WordPress": {
			setuptest.WordPress{},
			Site{Kind: origin.WordPress, Title: "The Slow Loaf", Slash: "always", Feeds: []string{"/feed"}},
			"it names its API (api.w.org), generator WordPress 6.7.1, files below /wp-content/",
		},
		"Next": {
			setuptest.Next{},
			Site{Kind: origin.Next, Title: "A shop", Slash: "never"},
			"X-Powered-By: Next.js, self.__next_f in the page, files below /_next/static/",
		},
		"Next with pages for each request": {
			setuptest.Next{Dynamic: true},
			Site{Kind: origin.Next, Title: "A shop", Slash: "never", Private: "Cache-Control: private"},
			"X-Powered-By",
		},
		"Nuxt": {
			setuptest.Nuxt{},
			Site{Kind: origin.Nuxt, Title: "Docs", Slash: "auto"},
			"X-Powered-By: Nuxt, __NUXT_DATA__ in the page, files below /_nuxt/",
		},
		"another": {
			setuptest.Plain{Header: http.Header{"Set-Cookie": {"session=1"}}},
			Site{Kind: origin.Plain, Title: "Plain", Slash: "auto", Cookies: []string{"session"}},
			"taken as they are",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, tc.handler)
			tc.want.URL, tc.want.Origin, tc.want.Found = server, server, true
			got, lines := look(t, Wish{URL: server})
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("site (-want +got):\n%s", diff)
			}
			if !strings.Contains(lines.String(), tc.why) {
				t.Errorf("the reason %q is not told:\n%s", tc.why, lines)
			}
		})
	}
}

func TestLook_hostThatTheOriginTakesItselfFor(t *testing.T) {
	t.Run("is said by WordPress", func(t *testing.T) {
		server := serve(t, setuptest.WordPress{Home: "http://cms.example.com"})
		got, _ := look(t, Wish{URL: site, Origin: server})
		if got.URL != site || got.Host != "cms.example.com" || got.Origin != server || !got.Found {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("is said by a canonical link", func(t *testing.T) {
		got, _ := look(t, Wish{URL: site, Origin: serve(t, setuptest.Plain{Canonical: "app.example.com"})})
		if got.Host != "app.example.com" {
			t.Errorf("host %q", got.Host)
		}
	})
	t.Run("is the site's", func(t *testing.T) {
		got, _ := look(t, Wish{URL: site, Origin: serve(t, setuptest.WordPress{Home: site})})
		if got.Host != "" || len(got.Notes) != 0 {
			t.Errorf("host %q, notes %q", got.Host, got.Notes)
		}
	})
	t.Run("is not believed where it has no such site", func(t *testing.T) {
		plain := setuptest.Plain{Canonical: "other.example.com"}
		got, _ := look(t, Wish{URL: site, Origin: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "other.example.com" {
				http.NotFound(w, r)
				return
			}
			plain.ServeHTTP(w, r)
		}))})
		if got.Host != "" || !strings.Contains(strings.Join(got.Notes, "\n"), "has no such site under that host") {
			t.Errorf("host %q, notes %q", got.Host, got.Notes)
		}
	})
	t.Run("is told when the site was named by its own server's address", func(t *testing.T) {
		server := serve(t, setuptest.Plain{Canonical: "www.example.com"})
		got, _ := look(t, Wish{URL: server})
		if want := "rebake init https://www.example.com --origin " + server; !strings.Contains(strings.Join(got.Notes, "\n"), want) {
			t.Errorf("notes %q, want one with %q", got.Notes, want)
		}
	})
}

func TestLook_redirects(t *testing.T) {
	t.Run("of / within the site leave / to the origin", func(t *testing.T) {
		got, lines := look(t, Wish{URL: serve(t, redirecting{map[string]string{"/": "/en/home"}, setuptest.Nuxt{}})})
		if got.Start != "/en/home" || !strings.Contains(lines.String(), "302, on to ") {
			t.Errorf("start %q, told:\n%s", got.Start, lines)
		}
	})
	t.Run("to www make that the site", func(t *testing.T) {
		got, _ := look(t, Wish{URL: "https://example.com", Origin: serve(t, setuptest.WordPress{Home: site})})
		if got.URL != site || got.Host != "" {
			t.Errorf("site %s, host %q", got.URL, got.Host)
		}
	})
	t.Run("to another site are not followed", func(t *testing.T) {
		got := lookError(t, Wish{URL: serve(t, redirecting{map[string]string{"/": "https://elsewhere.example/x"}, setuptest.Nuxt{}})})
		if !strings.HasSuffix(got, "redirects to another site, https://elsewhere.example; if that is the one, name it") {
			t.Error(got)
		}
	})
	t.Run("to itself", func(t *testing.T) {
		itself := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://www.example.com/", http.StatusFound)
		})
		if got := lookError(t, Wish{URL: "http://www.example.com", Origin: serve(t, itself)}); !strings.HasSuffix(got, "redirects to itself") {
			t.Error(got)
		}
	})
	t.Run("to itself with a port, of which it may not be told", func(t *testing.T) {
		server := serve(t, redirecting{map[string]string{"/": "/"}, nil})
		_, port, _ := strings.Cut(strings.TrimPrefix(server, "http://"), ":")
		if got, want := lookError(t, Wish{URL: server}), "`fastcgi_param HTTP_HOST $host:"+port+";`"; !strings.Contains(got, want) {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
	t.Run("that do not end", func(t *testing.T) {
		loop := redirecting{map[string]string{"/": "/a", "/a": "/b", "/b": "/"}, nil}
		if got := lookError(t, Wish{URL: serve(t, loop)}); !strings.HasSuffix(got, "redirects more than 10 times") {
			t.Error(got)
		}
	})
	t.Run("between two hosts of an origin", func(t *testing.T) {
		got := lookError(t, Wish{URL: site, Origin: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			other := map[string]string{"www.example.com": "http://b.example/", "b.example": "https://www.example.com/"}[r.Host]
			http.Redirect(w, r, other, http.StatusFound)
		}))})
		if !strings.Contains(got, "and from there back") {
			t.Error(got)
		}
	})
	t.Run("to https though it was told that it is", func(t *testing.T) {
		got := lookError(t, Wish{URL: site, Origin: serve(t, setuptest.WordPress{Home: site, Unbelieving: true})})
		if !strings.Contains(got, "`fastcgi_param HTTPS on;`") {
			t.Error(got)
		}
	})
	t.Run("to http though the site has https", func(t *testing.T) {
		got := lookError(t, Wish{URL: site, Origin: serve(t, redirecting{map[string]string{"/": "http://www.example.com/"}, nil})})
		if !strings.Contains(got, "have to agree about http;") {
			t.Error(got)
		}
	})
}

func TestLook_refuses(t *testing.T) {
	for _, tc := range []struct {
		wish Wish
		want string
	}{
		{Wish{URL: "www.example.com"}, `the site: "www.example.com" is no address; write it whole, such as https://www.example.com`},
		{Wish{URL: "https://example.com/blog"}, "is more than scheme and host"},
		{Wish{URL: site, Origin: "127.0.0.1:8080"}, `--origin: "127.0.0.1:8080" is no address`},
		{Wish{URL: "http://127.0.0.1:1"}, "ask http://127.0.0.1:1/: dial tcp"},
		{Wish{URL: serve(t, http.NotFoundHandler())}, "answers 404; rebake has to see the page"},
	} {
		if got := lookError(t, tc.wish); !strings.Contains(got, tc.want) {
			t.Errorf("%+v: %s\nwant %s", tc.wish, got, tc.want)
		}
	}
}

func TestLook_shop(t *testing.T) {
	got, _ := look(t, Wish{URL: serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<html><head><meta name="generator" content="WordPress 6.7"></head><body class="home theme-x woocommerce-no-js"></body></html>`))
	}))})
	if !got.Shop {
		t.Errorf("WooCommerce was not seen: %+v", got)
	}
}

func TestLook_plainPermalinks(t *testing.T) {
	got, _ := look(t, Wish{URL: serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<html><head><meta name="generator" content="WordPress 6.7"><link rel="alternate" type="application/rss+xml" href="/?feed=rss2"></head></html>`))
	}))})
	if !strings.Contains(strings.Join(got.Notes, "\n"), "plain permalinks") {
		t.Errorf("notes %q", got.Notes)
	}
}

// The public address is never the origin's.
func TestLooker_place(t *testing.T) {
	here := serve(t, setuptest.WordPress{Home: site})
	other := serve(t, setuptest.Plain{})
	place := func(t *testing.T, usual ...string) *Site {
		t.Helper()
		l, err := newLooker(Wish{URL: site}, (&told{}).tell)
		if err != nil {
			t.Fatal(err)
		}
		defer l.client.Close()
		l.usual = map[origin.Kind][]string{origin.WordPress: usual}
		s := &Site{Kind: origin.WordPress, Title: "The Slow Loaf"}
		l.place(t.Context(), s)
		return s
	}
	t.Run("finds the same site behind nginx", func(t *testing.T) {
		if s := place(t, other, here); !s.Found || s.Origin != here {
			t.Errorf("found %v at %s, want %s", s.Found, s.Origin, here)
		}
	})
	t.Run("names where it has to be", func(t *testing.T) {
		if s := place(t, "http://127.0.0.1:1", other); s.Found || s.Origin != "http://127.0.0.1:1" {
			t.Errorf("found %v at %s", s.Found, s.Origin)
		}
	})
}

func TestLook_tellsNothingThatATerminalWouldDo(t *testing.T) {
	_, lines := look(t, Wish{URL: serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><head><title>\x1b[2J</title><meta name='generator' content='WordPress \x1b[31m\r'></head></html>"))
	}))})
	if strings.ContainsAny(lines.String(), "\x1b\r") {
		t.Errorf("told %q", lines)
	}
}

func TestIsPrivate(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:3000": true, "http://[::1]": true, "http://10.0.0.5": true, "http://192.168.1.2:80": true, "http://localhost:3000": true,
		"http://shop.localhost": true, site: false, "http://93.184.215.14": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := isPrivate(u); got != want {
			t.Errorf("isPrivate(%s) = %v", address, got)
		}
	}
}
