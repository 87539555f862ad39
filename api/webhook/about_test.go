package webhook

import (
	"encoding/json"
	"testing"

	"rebake/worker"
)

func TestHook_About(t *testing.T) {
	for name, c := range map[string]struct {
		kind         string
		header, body string // header is the value of x-github-event
		reading      Reading
		event, about string
	}{
		"an item":               {"strapi", "", `{"event":"entry.publish","model":"article","entry":{"documentId":"x1"}}`, Reading{}, "entry.publish", "article:x1"},
		"an item of a rule":     {"strapi", "", `{"event":"entry.publish","model":"article","entry":{"documentId":"x1"}}`, Reading{Change: Change{Items: []worker.Item{{Tag: "post:1"}}}}, "entry.publish", "post:1"},
		"pages of a rule":       {"github", "push", `{"action":"x"}`, Reading{Change: Change{Paths: []string{"/a", "/b"}}}, "push", "/a and 1 more"},
		"several events":        {"wordpress", "", `{"events":[{"type":"post"},{"type":"term"},{"type":"term"}]}`, Reading{}, "post and 2 more", ""},
		"nothing that is known": {"generic", "", `{"event":{"no":"text"}}`, Reading{}, "", ""},
		"no object":             {"strapi", "", `[1]`, Reading{}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Kind: c.kind}
			if c.kind == "github" {
				cfg.Rules = []Rule{{Paths: Texts{"/a"}}}
			}
			e := Event{Header: map[string]any{"x-github-event": c.header}, Raw: []byte(c.body)}
			if err := json.Unmarshal(e.Raw, &e.Body); err != nil {
				t.Fatal(err)
			}
			if event, about := mustHook(t, cfg).About(e, c.reading); event != c.event || about != c.about {
				t.Errorf("it is %q of %q, want %q of %q", event, about, c.event, c.about)
			}
		})
	}
}
