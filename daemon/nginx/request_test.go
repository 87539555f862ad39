package nginx_test

import (
	"strings"
	"testing"

	"rebake/renderer/origin"
)

func TestWhoAnswers_queries(t *testing.T) {
	s := newOriginSite(t, siteConfig(t, origin.Plain))
	s.put("/a", html, "a file")
	for query, want := range map[string]string{
		"?":                              "file",
		"?&":                             "file",
		"?utm_source=x":                  "file",
		"?utm_source=":                   "file",
		"?utm_source":                    "file",
		"?utm_=x":                        "file",
		"?utm_source=x&utm_medium=y":     "file",
		"?utm_source=x&utm_source=y":     "file",
		"?&utm_source=x&&gclid=1&":       "file",
		"?utm_source=a%26b%3Dc%3Bd?e=/f": "file",
		"?utm_source=a=b":                "file",
		"?utm_source%20x=1":              "file",
		"?mc.id=1":                       "file",
		"?_ga=1":                         "file",
		"?x":                             "origin",
		"?=":                             "origin",
		"?=x":                            "origin",
		"?x=1&utm_source=x":              "origin",
		"?utm_source=x&p=3":              "origin",
		"?utm_source=x&&p=3":             "origin",
		"?utm_source=x;p=3":              "origin",
		"?utm_source;p=3":                "origin",
		"?p=3;utm_source=x":              "origin",
		"?UTM_source=x":                  "origin",
		"?Gclid=x":                       "origin",
		"?%75tm_source=x":                "origin",
		"?gcli%64=x":                     "origin",
		"?gclid2=x":                      "origin",
		"?xgclid=x":                      "origin",
		"?gclid[]=x":                     "origin",
		"?_gab=1":                        "origin",
		"?mcxid=1":                       "origin",
		"?p=utm_source":                  "origin",
		"?p=3&utm_source":                "origin",
		"?utm":                           "origin",
		"?+utm_source=x":                 "origin",
		"?" + strings.Repeat("utm_a&", 500) + "p": "origin",
	} {
		s.rows(row{"GET /a" + query, want})
	}
}

func TestWhoAnswers_cookies(t *testing.T) {
	s := newOriginSite(t, siteConfig(t, origin.Plain))
	s.put("/a", html, "a file")
	for cookies, want := range map[string]string{
		"wordpress_logged_in_1=x":             "origin",
		"wordpress_logged_in_=x":              "origin",
		"a=b; wordpress_logged_in_1=x":        "origin",
		"a=b;wordpress_logged_in_1=x; c=d":    "origin",
		"a=b;  __prerender_bypass=":           "origin",
		"__prerender_bypass=1":                "origin",
		"xwordpress_logged_in_1=x":            "file",
		"a=wordpress_logged_in_1":             "file",
		"a=wordpress_logged_in_1=x":           "file",
		"a=b, wordpress_logged_in_1=x":        "file",
		"wordpress_logged_in=x":               "file",
		"Wordpress_Logged_In_1=x":             "file",
		"__prerender_bypass2=1":               "file",
		"x__prerender_bypass=1":               "file",
		"a=__prerender_bypass":                "file",
		"a=1; b=2; wordpress_test_cookie=yes": "file",
	} {
		s.rows(row{"GET /a | Cookie: " + cookies, want})
	}
}

func TestWhoAnswers_nothingIgnored(t *testing.T) {
	c := siteConfig(t, origin.Plain)
	c.IgnoreQuery, c.BypassCookies = nil, nil
	s := newOriginSite(t, c)
	s.put("/a", html, "a file")
	s.rows(
		row{"GET /a", "file"}, row{"GET /a?", "file"}, row{"GET /a?&", "file"},
		row{"GET /a?utm_source=x", "origin"},
		row{"GET /a | Cookie: wordpress_logged_in_1=x", "file"},
	)
}

func TestWhoAnswers_trailingSlashRedirectsPagesAlone(t *testing.T) {
	for setting, rows := range map[string][]row{
		"always": {
			{"GET /about", "nginx 301"},
			{"GET /about?utm_source=x", "nginx 301"},
			{"GET /about/", "file"},
			{"GET /missing", "nginx 301"},
			{"GET /about?x=1", "origin"},
			{"POST /about", "origin"},
			{"GET /about | Cookie: wordpress_logged_in_1=x", "origin"},
			{"GET /wp-admin", "origin"},
			{"GET /download.zip", "origin"},
			{"GET /sitemap.xml", "file"},
			{"GET /.well-known/assetlinks", "origin"},
		},
		"never": {
			{"GET /about/", "nginx 301"},
			{"GET /about", "file"},
			{"POST /about/", "origin"},
			{"GET /wp-admin/", "origin"},
			{"GET /", "file"},
		},
	} {
		t.Run(setting, func(t *testing.T) {
			c := siteConfig(t, origin.WordPress)
			c.TrailingSlash = setting
			s := newOriginSite(t, c)
			s.put("/", html, "a file")
			s.put("/about", html, "a file")
			s.put("/sitemap.xml", "application/xml", "a file")
			s.rows(rows...)
		})
	}
}
