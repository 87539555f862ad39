package webhook

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/storage"
	"rebake/worker"
)

const published = `{"event":"entry.publish","model":"article","entry":{"documentId":"x","slug":"hello","updatedAt":"2026-11-22T05:54:33Z","tags":[{"slug":"a"},{"slug":"b"}],"n":12345678,"big":12345678901234567890,"f":1.5}}`

func TestRules(t *testing.T) {
	own := []worker.Item{{Tag: "article:x", Version: "2026-11-22T05:54:33Z"}}
	for name, c := range map[string]struct {
		rules []Rule
		want  Change
	}{
		"texts with values": {
			[]Rule{{When: `body.model == "article" && body.event in ["entry.publish"]`, Paths: Texts{"/", "/articles/{body.entry?.slug}"}, Tags: Texts{"n:{body.entry.n}"}}},
			Change{Paths: []string{"/", "/articles/hello"}, Tags: []string{"article", "n:12345678"}, Items: own},
		},
		"null drops its entry": {
			[]Rule{{Paths: Texts{"/a", "/b/{body.entry.parent?.slug}", "{body.nothing}"}}},
			Change{Paths: []string{"/a"}, Tags: []string{"article"}, Items: own},
		},
		"an expression gives a list": {
			[]Rule{{Tags: Texts{`{map(body.entry.tags, "tag:" + .slug)}`}}},
			Change{Tags: []string{"article", "tag:a", "tag:b"}, Items: own},
		},
		"null drops its place in a list": {
			[]Rule{{Tags: Texts{`{["a", nil, body.entry.none, ""]}`}}},
			Change{Tags: []string{"article", "a"}, Items: own},
		},
		"two rules add up": {
			[]Rule{{Paths: Texts{"/a"}}, {Paths: Texts{"/a", "/b"}, Prefixes: Texts{"/c"}}},
			Change{Paths: []string{"/a", "/b"}, Tags: []string{"article"}, Prefixes: []string{"/c"}, Items: own},
		},
		"no rule matches":   {[]Rule{{When: "body.n == 1"}, {When: `body.model == "page"`}}, Change{}},
		"null is no match":  {[]Rule{{When: "body.none"}}, Change{}},
		"everything":        {[]Rule{{All: true}}, Change{All: true, Tags: []string{"article"}, Items: own}},
		"numbers are equal": {[]Rule{{When: "body.entry.n == 12345678 && body.entry.f == 1.5", Tags: Texts{"t"}}}, Change{Tags: []string{"article", "t"}, Items: own}},
		"a large number":    {[]Rule{{Tags: Texts{"{body.entry.big}"}}}, Change{Tags: []string{"article", "12345678901234567890"}, Items: own}},
		"string of a number": {
			[]Rule{{Tags: Texts{`{"n-" + string(body.entry.n)}`}}},
			Change{Tags: []string{"article", "n-12345678"}, Items: own},
		},
		"item by another name keeps its version": {
			[]Rule{{Item: "post:{body.entry.slug}"}},
			Change{Tags: []string{"article"}, Items: []worker.Item{{Tag: "post:hello", Version: "2026-11-22T05:54:33Z"}}},
		},
		"item with a version": {
			[]Rule{{Item: "post:{body.entry.slug}", Version: "{body.entry.n}"}},
			Change{Tags: []string{"article"}, Items: []worker.Item{{Tag: "post:hello", Version: "12345678"}}},
		},
		"another version of the kind's own item": {
			[]Rule{{Version: "{body.entry.n}"}},
			Change{Tags: []string{"article"}, Items: []worker.Item{{Tag: "article:x", Version: "12345678"}}},
		},
		"no version": {
			[]Rule{{Version: "{body.none}"}},
			Change{Tags: []string{"article"}, Items: []worker.Item{{Tag: "article:x"}}},
		},
		"no item": {
			[]Rule{{Item: "{body.none}", Tags: Texts{"t"}}},
			Change{Tags: []string{"article", "t"}},
		},
		"all variables": {
			[]Rule{{Tags: Texts{"{source}:{method}:{header['x-strapi-event']}:{query.a ?? 'none'}"}}},
			Change{Tags: []string{"article", "cms:POST:entry.publish:none"}, Items: own},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: "strapi", Rules: c.rules})
			got := h.read(event(t, h, published, "X-Strapi-Event: entry.publish"))
			if len(got.Failed) > 0 {
				t.Fatalf("failed: %v", got.Failed)
			}
			if diff := cmp.Diff(c.want, got.Change, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRules_tellsWhatWasDropped(t *testing.T) {
	h := mustHook(t, Config{Kind: "strapi", Rules: []Rule{{
		Paths: Texts{"/a", "/b/{body.entry.parent?.slug}", "{body.nothing}"}, Tags: Texts{"{[nil]}", "t"}, Item: "{body.nothing}",
	}}})
	want := []Failure{{"rules[0].paths[1]", "null"}, {"rules[0].paths[2]", "null"}, {"rules[0].tags[0]", "empty"}, {"rules[0].item", "null"}}
	if diff := cmp.Diff(want, h.read(event(t, h, published)).Dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
}

// What fails is told with its place, and the rest counts.
func TestRules_failures(t *testing.T) {
	for name, c := range map[string]struct {
		rule      Rule
		key, want string
	}{
		"missing parent":        {Rule{Paths: Texts{"/a", "/{body.none.slug}"}}, "rules[1].paths[1]", "write ?. where a value may be missing"},
		"map in a text":         {Rule{Tags: Texts{"x:{body.entry}"}}, "rules[1].tags[0]", "gives a map"},
		"map":                   {Rule{Tags: Texts{"{body.entry}"}}, "rules[1].tags[0]", "must give a text, or a list of texts"},
		"string of a map":       {Rule{Tags: Texts{"{string(body.entry)}"}}, "rules[1].tags[0]", "gives a map"},
		"string of a list":      {Rule{Tags: Texts{"{string(body.entry.tags)}"}}, "rules[1].tags[0]", "gives a list"},
		"string of null":        {Rule{Tags: Texts{"{'a' + string(body.none)}"}}, "rules[1].tags[0]", "string() of null"},
		"list of maps":          {Rule{Paths: Texts{"{body.entry.tags}"}}, "rules[1].paths[0]", "item 0 is a map[string]interface"},
		"list in a text":        {Rule{Prefixes: Texts{"/{body.entry.tags}"}}, "rules[1].prefixes[0]", "gives a list"},
		"text and number added": {Rule{Tags: Texts{"{'a' + body.entry.n}"}}, "rules[1].tags[0]", "invalid operation"},
		"when without parent":   {Rule{When: "body.none.x == 1"}, "rules[1].when", "?."},
		"when is a text":        {Rule{When: "body.event"}, "rules[1].when", "must give true or false"},
		"item":                  {Rule{Item: "a:{body.none.x}"}, "rules[1].item", "?."},
		"version":               {Rule{Version: "{body.entry}"}, "rules[1].version", "gives a map"},
		"too much memory":       {Rule{Tags: Texts{"{map(1..100000, string(#))}"}}, "rules[1].tags[0]", "memory budget"},
	} {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: "strapi", Rules: []Rule{{Paths: Texts{"/sure"}}, c.rule}})
			got := h.read(event(t, h, published))
			if len(got.Failed) != 1 || got.Failed[0].Key != c.key || !strings.Contains(got.Failed[0].Message, c.want) {
				t.Errorf("failed: %q, want %s: …%s…", got.Failed, c.key, c.want)
			}
			if len(got.Paths) == 0 || got.Paths[0] != "/sure" {
				t.Errorf("the other rule came to nothing: %v", got.Paths)
			}
		})
	}
}

func TestNew_errors(t *testing.T) {
	hours := 2 * time.Hour
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"unknown kind":             {Config{Kind: "strapy"}, `kind: unknown kind "strapy"; known: contentful, `},
		"unknown name":             {Config{Kind: "strapi", Rules: []Rule{{}, {Paths: Texts{"/", "/{bod.slug}"}}}}, "rules[1].paths[1]: {bod.slug}: unknown name bod (known: body, header, method, query, source)"},
		"unknown in when":          {Config{Kind: "strapi", Rules: []Rule{{When: "bod.x"}}}, "rules[0].when: unknown name bod"},
		"empty when":               {Config{Kind: "strapi", Rules: []Rule{{When: " "}}}, "rules[0].when: holds no expression"},
		"syntax":                   {Config{Kind: "strapi", Rules: []Rule{{Tags: Texts{"a{"}}}}, "rules[0].tags[0]: { without its }"},
		"empty entry":              {Config{Kind: "strapi", Rules: []Rule{{Tags: Texts{""}}}}, "rules[0].tags[0]: is empty"},
		"item":                     {Config{Kind: "strapi", Rules: []Rule{{Item: "{x}", Version: "{y}"}}}, "rules[0].item: {x}: unknown name x"},
		"too long":                 {Config{Kind: "strapi", Rules: []Rule{{When: strings.Repeat("body.x == 1 || ", 200) + "true"}}}, "rules[0].when: "},
		"no rules":                 {Config{Kind: "github"}, "rules: required for kind github"},
		"waits too long":           {Config{Kind: "strapi", Recheck: &hours}, "recheck: must be between 0s and 1h"},
		"settles too long":         {Config{Kind: "strapi", Settle: new(6 * time.Minute), MaxWait: new(5 * time.Minute)}, "settle: must be between 0s and 5m0s"},
		"puts off too long":        {Config{Kind: "strapi", MaxWait: new(6 * time.Minute)}, "max_wait: must be between 0s and 5m0s"},
		"waits for nothing":        {Config{Kind: "strapi", MaxWait: new(kinds["strapi"].settle / 2)}, "max_wait: is less than settle (1s)"},
		"negative body":            {Config{Kind: "strapi", MaxBody: -1}, "max_body: "},
		"short secret":             {Config{Kind: "strapi", Secret: storage.Secrets{"CANARY"}}, "secret[0]: must have at least 8 bytes"},
		"no secret":                {Config{Kind: "strapi", Secret: storage.Secrets{}}, "secret: required"},
		"algorithm":                {Config{Kind: "generic", Verify: &Verify{Algorithm: "md5", Header: "X"}}, `verify.algorithm: "md5": use sha256`},
		"no header":                {Config{Kind: "generic", Verify: &Verify{Algorithm: "sha256"}}, "verify.header: required"},
		"key":                      {Config{Kind: "generic", Verify: &Verify{Header: "X", Key: "hex"}}, "verify.key: unknown value"},
		"unit":                     {Config{Kind: "generic", Verify: &Verify{Header: "X", Timestamp: &Timestamp{Header: "T", Unit: "m"}}}, "verify.timestamp.unit: unknown value"},
		"header of one that signs": {Config{Kind: "ghost", Verify: &Verify{Header: "X"}}, "verify.header: ghost signs"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.cfg.Secret == nil {
				c.cfg.Secret = storage.Secrets{testSecret}
			}
			_, err := New("cms", c.cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("New: %v, want %q", err, c.want)
			}
		})
	}
}
