package nginx_test

import (
	"strings"
	"testing"

	"rebake/daemon/nginx"
	"rebake/renderer/origin"
)

func TestWhoAnswers_severalOriginsAndTemplates(t *testing.T) {
	c := siteConfig(t, origin.Next)
	blog := newStubOf(t, "blog", nil)
	shop := newStubOf(t, "shop", nil)
	c.Origins = append(c.Origins,
		nginx.Origin{Name: "blog", Kind: "wordpress", URLs: []string{blog.URL}, Passes: origin.Config{Kind: origin.WordPress}.Passes()},
		nginx.Origin{Name: "shop-2", Kind: "plain", URLs: []string{shop.URL}})
	c.Routes = []nginx.Route{
		route(t, "/news/{slug}", "", false),
		route(t, "/api/{version}.json", "", false),
		route(t, "/a$b/{x}", "", false),
		route(t, "/shop/account/{rest...}", "shop-2", true),
		route(t, "/shop/{rest...}", "shop-2", false),
		route(t, "/blog/{rest...}", "blog", false),
		route(t, "/wp-admin/{rest...}", "blog", true),
		route(t, "/{rest...}", "app", false),
	}
	s := newOriginSite(t, c)
	for _, path := range []string{"/news/a", "/shop/a", "/shop/account/a", "/blog/a", "/a"} {
		s.put(path, html, "a file")
	}
	s.rebake.answer(map[string]int{"/news/made": 200, "/shop/made": 200})
	s.rows(
		// Templates are Rebake's alone.
		row{"GET /news/a", "file"},
		row{"GET /news/a?x=1", "file"},
		row{"GET /news/a | Cookie: wordpress_logged_in_1=x", "file"},
		row{"GET /news/a | RSC: 1", "file"},
		row{"POST /news/a", "nginx 405"},
		row{"GET /news/made", "stub"},
		row{"GET /news/missing", "stub"},
		row{"GET /news/style.css", "stub"},
		row{"GET /api/v1.json", "stub"},
		row{"GET /a$b/x", "stub"},
		row{"GET /a%24b/x/", "stub"},

		row{"GET /shop/a", "file"},
		row{"GET /shop/made", "stub"},
		row{"GET /shop/missing", "shop"},
		row{"GET /shop/a.css", "shop"},
		row{"POST /shop/a", "shop"},
		row{"GET /shop/a?x=1", "shop"},
		row{"GET /shop/account/a", "shop"},
		row{"GET /shop/a.php", "shop"},

		row{"GET /blog/a", "file"},
		row{"POST /blog/a", "blog"},
		row{"GET /blog/missing", "blog"},
		row{"GET /blog/a.php", "blog"},
		row{"GET /wp-admin/edit", "blog"},
		row{"GET /blog/_next/a", "blog"},

		row{"GET /a", "file"},
		row{"GET /shop", "origin"},
		row{"GET /", "origin"},
		row{"POST /a", "origin"},
		row{"GET /api/users", "origin"},
		row{"GET /wp-login.php", "origin"},
		row{"GET /a.css", "origin"},
	)

	s.rebake.Close()
	s.rows(
		row{"GET /news/a", "file"},
		row{"GET /news/missing", "nginx 503"},
		row{"GET /shop/missing", "shop"},
		row{"GET /missing", "origin"},
		row{"POST /api/revalidate", "nginx 503"},
	)
}

// A site that is one origin's needs no variable to say whose a path is.
func TestInclude_OfOneOriginIsPlain(t *testing.T) {
	c := siteConfig(t, origin.WordPress)
	c.Origins[0].URLs = []string{"http://127.0.0.1:8080"}
	c.Output, c.Listen = "/srv/site/public", "127.0.0.1:8600"
	for _, more := range []bool{false, true} {
		if more { // no route names it, and it is not the last
			c.Origins = append([]nginx.Origin{{Name: "a", Kind: "plain", URLs: []string{"http://127.0.0.1:1"}}}, c.Origins...)
		}
		text, err := nginx.Include(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, unwanted := range []string{"$rebake_origin", "$rebake_miss", "@origin_a ", "return 405", "\n\n\n", "(?:)"} {
			if strings.Contains(text, unwanted) {
				t.Errorf("%q stands in\n%s", unwanted, text)
			}
		}
	}
}
