package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got, err := parse(strings.NewReader("# a comment: not a process\n\nredis: redis-server --port ${P:-1}\n  web-1:exec x: y\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{{"redis", "redis-server --port ${P:-1}"}, {"web-1", "exec x: y"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{})); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestParse_Refusals(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no colon":   {"a: x\nredis\n", `line 2: "redis" is no process; write it as NAME: COMMAND`},
		"no command": {"a:\n", `line 1: "a:" is no process; write it as NAME: COMMAND`},
		"no name":    {": x\n", `line 1: ": x" is no process; write it as NAME: COMMAND`},
		"twice":      {"a: x\n\na: y\n", "line 3: there is a a already; give this one another name"},
		"empty":      {"# nothing\n", "it names no process; write one as NAME: COMMAND"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(strings.NewReader(c.text)); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	all := []entry{{"a", "x"}, {"b", "y"}, {"c", "z"}}
	for name, c := range map[string]struct {
		names []string
		want  []entry
	}{
		"no names":                     {nil, all},
		"in the order of the Procfile": {[]string{"c", "a"}, []entry{{"a", "x"}, {"c", "z"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := choose(all, c.names)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(entry{})); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("an unknown name", func(t *testing.T) {
		const want = "d: no such process in the Procfile; it has a, b, c"
		if _, err := choose(all, []string{"a", "d"}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	})
}
