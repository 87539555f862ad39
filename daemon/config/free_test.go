package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadReadsVariables(t *testing.T) {
	c := load(t, required+`
routes:
  - path: /{slug}
    template: a.html
    data:
      post:
        source: cms
        query: "{ x }"
        variables: {slug: "{slug}", id: "7", n: 7, half: 0.5, on: true, none: null, key: "${KEY}", where: {a: [1, "x"]}}
    list:
      source: cms
      path: "/{slug}"
      variables: {first: 100}
`, "KEY", "12")
	want := map[string]any{
		"slug": "{slug}", "id": "7", "n": 7, "half": 0.5, "on": true, "none": nil, "key": "12",
		"where": map[string]any{"a": []any{1, "x"}},
	}
	if diff := cmp.Diff(want, c.Routes[0].Data["post"].Variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"first": 100}, c.Routes[0].List.Variables); diff != "" {
		t.Errorf("variables of the list (-want +got):\n%s", diff)
	}
}

func TestLoadLocatesProblemsOfVariables(t *testing.T) {
	got := loadError(t, required+`routes:
  - path: /{slug}
    template: a.html
    revalidate: soon
    data:
      post:
        variables:
          a: ${NOPE}
          b: !!binary aGk=
          c: 0x10
          d: {x: 1, x: 2}
`)
	want := `rebake.yaml:7: routes[0].revalidate: must be a duration such as 10s
rebake.yaml:11: routes[0].data.post.variables.a: the environment variable NOPE is not set
rebake.yaml:12: routes[0].data.post.variables.b: must not have a YAML tag (!!binary)
rebake.yaml:13: routes[0].data.post.variables.c: must be a whole number
rebake.yaml:14: routes[0].data.post.variables.d.x: stands here for the second time, first on line 14`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestLoadLocatesProblemsOfPagination(t *testing.T) {
	got := loadError(t, required+`sources:
  cms:
    url: https://cms.example.com
    pagination:
      type: cursor
      page_param: p
      stop_on_status: [200]
  b: {url: https://cms.example.com, pagination: {type: pages}}
`)
	want := `rebake.yaml:7: sources.cms.pagination.cursor: is missing; type cursor needs it
rebake.yaml:7: sources.cms.pagination.cursor_param: is missing; type cursor needs it
rebake.yaml:9: sources.cms.pagination.page_param: has no meaning for type cursor
rebake.yaml:10: sources.cms.pagination.stop_on_status[0]: must be between 400 and 499
rebake.yaml:11: sources.b.pagination.type: unknown type "pages"; known: page, offset, cursor, link_header, next_url, none`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
