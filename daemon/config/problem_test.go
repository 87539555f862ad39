package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const twoRoutes = required + `routes:
  - path: /
    template: home.html
  - path: "/blog/{slug}"
    template: post.html
    data:
      post: {source: cms, get: /posts}
`

func TestLocate(t *testing.T) {
	c := load(t, twoRoutes)
	for key, want := range map[string]int{
		"site":                        1,
		"routes[0]":                   5,
		"routes[1].template":          8,
		"routes[1].data.post.get":     10,
		"routes[1].tags[0]":           7,
		"routes[1].data.post.x.y":     10,
		`routes[1].data."a.b[0]".get`: 9,
		"routes[2]":                   4,
		"limits.render":               0,
		"":                            0,
	} {
		file, line := c.Locate(key)
		if filepath.Base(file) != "rebake.yaml" || line != want {
			t.Errorf("Locate(%q) = %q, %d, want line %d", key, file, line, want)
		}
	}
}

func TestWrapLocatesJoinedErrors(t *testing.T) {
	c := load(t, twoRoutes)
	c.place.file = "rebake.yaml"
	err := errors.Join(
		errors.New("routes[1].data.post.get: unknown name\nat 3"),
		errors.Join(errors.New("routes[0].template: no such file"), errors.New("dial tcp: refused")),
		fmt.Errorf("sources.cms.url: %w and %w", errors.New("a"), errors.New("b")),
		&Error{Problems: []Problem{{File: "other.yaml", Line: 2, Key: "k", Message: "m"}}},
	)
	var got *Error
	if !errors.As(c.Wrap(err), &got) {
		t.Fatal("Wrap gave no *Error")
	}
	want := []Problem{
		{File: "rebake.yaml", Message: "dial tcp: refused"},
		{File: "rebake.yaml", Key: "sources.cms.url", Message: "a and b"},
		{File: "other.yaml", Line: 2, Key: "k", Message: "m"},
		{File: "rebake.yaml", Line: 6, Key: "routes[0].template", Message: "no such file"},
		{File: "rebake.yaml", Line: 10, Key: "routes[1].data.post.get", Message: "unknown name\nat 3"},
	}
	if diff := cmp.Diff(want, got.Problems); diff != "" {
		t.Errorf("Wrap (-want +got):\n%s", diff)
	}
}

func TestWrapOfNil(t *testing.T) {
	if err := valid().Wrap(nil); err != nil {
		t.Errorf("Wrap(nil) = %v, want nil", err)
	}
}

func TestProblemOfConfigMadeInCodeHasNoPlace(t *testing.T) {
	err := valid().Wrap(errors.New("routes[0].path: wrong"))
	if got, want := err.Error(), "routes[0].path: wrong"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}
