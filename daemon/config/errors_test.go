package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the decoder says about a file. Each text follows the three required
// lines, so that its first line is line 4.
func TestLoadReportsBadYAML(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"unknown key, near":      {"sources:\n  cms: {url: https://a.example, timeot: 1s}", `rebake.yaml:5: sources.cms.timeot: unknown key, did you mean "timeout"?`},
		"unknown key, swapped":   {"stuate: x\nlitsen: x", "rebake.yaml:4: stuate: unknown key, did you mean \"state\"?\nrebake.yaml:5: litsen: unknown key, did you mean \"listen\"?"},
		"unknown key, case":      {"Workers: 3", `rebake.yaml:4: Workers: unknown key, did you mean "workers"?`},
		"unknown key, far":       {"log: {colours: true}", "rebake.yaml:4: log.colours: unknown key; known here: level, format"},
		"unknown key, quoted":    {`log: {"a.b": 1}`, `rebake.yaml:4: log."a.b": unknown key; known here: level, format`},
		"unknown key, empty":     {`log: {"": 1}`, `rebake.yaml:4: log."": unknown key; known here: level, format`},
		"unknown key, very long": {"log: {" + strings.Repeat("l", 50) + ": 1}", "rebake.yaml:4: log." + strings.Repeat("l", 50) + ": unknown key; known here: level, format"},
		"unexported field":       {"log: {origin: 1}", "rebake.yaml:4: log.origin: unknown key; known here: level, format"},
		"duplicate key":          {"workers: 1\nworkers: 2", "rebake.yaml:5: workers: stands here for the second time, first on line 4"},
		"duplicate entry":        {"sources:\n  a: {url: https://a.example}\n  a: {url: https://b.example}", "rebake.yaml:6: sources.a: stands here for the second time, first on line 5"},
		"key that is a list":     {"? [a]\n: 1", "rebake.yaml:4: holds a key that is no plain name"},
		"merge key":              {"sources:\n  a: &a {url: https://a.example}\n  b:\n    <<: *a\n    url: https://b.example", `rebake.yaml:7: sources.b."<<": merging is not supported; repeat the keys`},
		"tag":                    {"templates: !!binary aGk=", "rebake.yaml:4: templates: must not have a YAML tag (!!binary)"},
		"duration without unit":  {"shutdown: 10", "rebake.yaml:4: shutdown: must be a duration such as 10s"},
		"text for int":           {"workers: many", "rebake.yaml:4: workers: must be a whole number"},
		"int too large":          {"workers: 99999999999999999999", "rebake.yaml:4: workers: must be a whole number"},
		"fraction for int":       {"workers: 1.5", "rebake.yaml:4: workers: must be a whole number"},
		"yes for bool":           {"routes: [{path: /, template: a, gates: {complete: yes}}]", "rebake.yaml:4: routes[0].gates.complete: must be true or false"},
		"rate":                   {"sources: {a: {url: https://a.example, rate: 20}}", `rebake.yaml:4: sources.a.rate: rate "20": write it as 20/s, 600/m or 1000/h`},
		"mapping for text":       {"templates: {slug}", "rebake.yaml:4: templates: must be text, not a list or keys; quote a value that starts with { or ["},
		"text for list":          {"compress: gzip", "rebake.yaml:4: compress: must be a list"},
		"text for struct":        {"limits: 3", "rebake.yaml:4: limits: must be keys with values"},
		"list for map":           {"sources: [a]", "rebake.yaml:4: sources: must be names with values"},
		"list item":              {"routes:\n  - path: /\n    template: a.html\n  - path: /b\n    template: b.html\n    data:\n      post:\n        source: cms\n        get: [x]", "rebake.yaml:12: routes[1].data.post.get: must be text, not a list or keys; quote a value that starts with { or ["},
		"wrong item":             {"compress:\n  - gzip\n  - {}", "rebake.yaml:6: compress[1]: must be text, not a list or keys; quote a value that starts with { or ["},
		"no value":               {"redis:", "rebake.yaml:4: redis: has no value; write one or leave the key out"},
		"no value in a list":     {"compress: [~]", "rebake.yaml:4: compress[0]: has no value; write one or leave the key out"},
		"unset variable":         {"redis: ${NONE}", "rebake.yaml:4: redis: the environment variable NONE is not set"},
		"two unset variables":    {"redis: ${NONE}${NADA}", "rebake.yaml:4: redis: the environment variable NONE is not set\nrebake.yaml:4: redis: the environment variable NADA is not set"},
		"empty secret variable":  {"sources: {a: {url: https://a.example, headers: {K: \"${EMPTY}\"}}}", "rebake.yaml:4: sources.a.headers.K: the environment variable EMPTY is empty"},
		"open variable":          {"redis: ${A", "rebake.yaml:4: redis: ${ must be followed by the name of an environment variable and }; write $${ for ${ itself"},
		"no variable's name":     {"redis: ${a.b}", "rebake.yaml:4: redis: ${ must be followed by the name of an environment variable and }; write $${ for ${ itself"},
		"variable of wrong type": {"sources: {a: {url: https://a.example, rate: \"${CANARY}\"}}", "rebake.yaml:4: sources.a.rate: must be text"},
		"second document":        {"---\nworkers: 1", "rebake.yaml:4: a second document starts here (---); one file is one site"},
		"bad second document":    {"---\na: b: c", "rebake.yaml:5: not YAML: mapping values are not allowed in this context (quote a value that holds a colon and a space)"},
		"tab":                    {"limits:\n\trender: 1s", "rebake.yaml:5: not YAML: found character that cannot start any token (indent with spaces, not tabs; quote a value that starts with %, @ or `)"},
		"braces":                 {"routes:\n  - {path: /a/{slug}, template: a}", "rebake.yaml:5: not YAML at or after this line: did not find expected ',' or '}' (inside { … }, quote a value that holds {, }, [, ] or a comma)"},
		"list not aligned":       {"compress:\n  - gzip\n  x: 1", "rebake.yaml:5: not YAML at or after this line: did not find expected '-' indicator (the entries of a list must be indented alike)"},
		"stray bracket":          {"templates: ]", "rebake.yaml:4: not YAML at or after this line: did not find expected node content"},
		"unknown anchor":         {"templates: *t", "rebake.yaml: not YAML: unknown anchor 't' referenced"},
		"too large":              {"#" + strings.Repeat("x", maxDocument), "rebake.yaml: larger than 1048576 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := loadError(t, required+test.text+"\n", "EMPTY", "", "CANARY", "canary")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadOfWhatIsNoMapping(t *testing.T) {
	const want = "rebake.yaml: must be keys with values"
	for _, text := range []string{"hello", "- a", "[]"} {
		if got := loadError(t, text); got != want {
			t.Errorf("Load of %q: %s, want %s", text, got, want)
		}
	}
}

func TestLoadOfEmptyFileReportsWhatIsRequired(t *testing.T) {
	want := `rebake.yaml: site: required: the public URL of the site, such as https://www.example.com
rebake.yaml: output: required: the directory that the web server serves, such as ./public
rebake.yaml: secret: required, it opens /api/revalidate; make one with: openssl rand -hex 32`
	for _, text := range []string{"", "# nothing\n", "---\n", "{}", "~"} {
		if diff := cmp.Diff(want, loadError(t, text)); diff != "" {
			t.Errorf("Load of %q (-want +got):\n%s", text, diff)
		}
	}
}

func TestLoadReportsAllProblemsInLineOrder(t *testing.T) {
	got := loadError(t, `sit: https://www.example.com
workers: 0
shutdown: soon
secret: ${NONE}
log: {level: loud}
`)
	want := `rebake.yaml: output: required: the directory that the web server serves, such as ./public
rebake.yaml:1: sit: unknown key, did you mean "site"?
rebake.yaml:2: workers: must be between 1 and 1024
rebake.yaml:3: shutdown: must be a duration such as 10s
rebake.yaml:4: secret: the environment variable NONE is not set
rebake.yaml:5: log.level: unknown value "loud"; known: debug, info, warn, error`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestLoadEndsAReportThatIsTooLong(t *testing.T) {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	lines := strings.Split(loadError(t, required+b.String()), "\n")
	if len(lines) != maxProblems+1 {
		t.Fatalf("%d lines, want %d", len(lines), maxProblems+1)
	}
	if got, want := lines[maxProblems], "rebake.yaml: more problems follow; mend these first"; got != want {
		t.Errorf("last line %q, want %q", got, want)
	}
}

func TestLoadRefusesAliasesThatMultiply(t *testing.T) {
	tags := "routes:\n  - path: /\n    template: a.html\n    tags: &tags [" + strings.Repeat("a, ", 1000) + "]\n"
	for range 20 {
		tags += "  - {path: /, template: a.html, tags: *tags}\n"
	}
	tags += "  - {path: /}\n" // would be a problem by itself

	// 1 + 1000 values each; the tenth alias goes beyond.
	got, want := loadError(t, required+tags), "rebake.yaml:7: routes[10].tags[990]: aliases stand for more than 10000 values"
	if got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestLoadRefusesAnAliasOfItself(t *testing.T) {
	got := loadError(t, required+"routes: &r [*r]\n")
	if want := "rebake.yaml:4: routes[0]: must be keys with values"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}
