package daemon

import (
	"testing"

	"rebake/daemon/config"
	"rebake/renderer"
	"rebake/renderer/origin"
	"rebake/storage"
)

func TestPassedBy(t *testing.T) {
	passed := passedBy(&config.Config{
		Routes: []renderer.RouteConfig{
			{Path: "/wp-json/own", Template: "own.html"}, {Path: "/cart/{rest...}", Pass: "shop"}, {Path: "/{rest...}", Origin: "wp"},
		},
		Origins: map[string]origin.Config{"wp": {Kind: origin.WordPress}, "shop": {}},
	})
	for path, want := range map[string]string{
		"/wp-admin/": "wp", "/wp-admin/edit": "wp", "/wp-admins": "", "/wp-json/own": "", "/wp-json/other": "wp", "/cart/a": "shop", "/about": "",
	} {
		p, err := storage.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := passed(p); got != want {
			t.Errorf("%s is passed by %q, want %q", path, got, want)
		}
	}
}
