package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestRestartFor(t *testing.T) {
	const text = required + `
workers: 8
limits: {paths: 100}
sources:
  cms:
    kind: wordpress
    url: https://cms.example.com/wp-json/wp/v2
    headers: {Authorization: first-CANARY}
    webhook: {secret: ` + hookSecret + `}
webhooks:
  a: {kind: strapi, secret: ` + hookSecret + `}
routes:
  - {path: /, template: home.html}
  - {path: "/blog/{slug}", template: post.html}
`
	for name, c := range map[string]struct {
		change []string // pairs of old and new
		want   []string
	}{
		"nothing":               {nil, nil},
		"a value":               {[]string{"workers: 8", "workers: 9"}, []string{"workers"}},
		"a value in a section":  {[]string{"paths: 100", "paths: 50"}, []string{"limits.paths"}},
		"a secret of a source":  {[]string{"first-CANARY", "second-CANARY"}, []string{"sources.cms.headers.Authorization"}},
		"a route":               {[]string{"post.html", "article.html"}, []string{"routes[1].template"}},
		"one route less":        {[]string{"  - {path: /, template: home.html}\n", ""}, []string{"routes"}},
		"a source more":         {[]string{"sources:", "sources:\n  shop: {url: https://shop.example.com}"}, []string{"sources.shop"}},
		"several":               {[]string{"workers: 8", "workers: 9", "template: home.html", "template: start.html"}, []string{"routes[0].template", "workers"}},
		"the secret":            {[]string{goodSecret, "another-secret-0123456789abcdef"}, nil},
		"secrets of webhooks":   {[]string{hookSecret, hookSecret + "-2"}, nil},
		"a kind of a webhook":   {[]string{"kind: strapi", "kind: generic"}, nil},
		"rules of a webhook":    {[]string{"a: {kind: strapi", "a: {rules: [{paths: /a}], kind: strapi"}, nil},
		"a webhook more":        {[]string{"webhooks:", "webhooks:\n  b: {kind: ghost, secret: " + hookSecret + "}"}, nil},
		"a webhook of a source": {[]string{"webhook: {", "webhook: {settle: 3s, "}, nil},
		"no webhook any more":   {[]string{"    webhook: {secret: " + hookSecret + "}\n", ""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			next := strings.NewReplacer(c.change...).Replace(text)
			if len(c.change) > 0 && next == text {
				t.Fatal("nothing was changed")
			}
			from, to := load(t, text), load(t, next)
			to.Output, to.State, to.Templates = from.Output, from.State, from.Templates // the files are in two folders
			got := from.RestartFor(to)
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}
