package webhook

import (
	"net/http"
	"testing"
	"unicode/utf8"

	"rebake/api/signature"
)

// FuzzRead feeds every kind, and rules of every sort, with what a sender might
// send. Nothing may panic, and no text may come out that is not UTF-8.
func FuzzRead(f *testing.F) {
	for _, body := range []string{
		published, `{"notifications":[{"data":{"system":{"codename":"a","type":"b"}},"message":{"action":"published"}}]}`,
		`{"sys":{"type":"Entry","id":"5KsD","contentType":{"sys":{"id":"blogPost"}},"revision":7}}`,
		`{"post":{"current":{"id":"64f","url":"https://blog.example/new/"}}}`, `{"keys":[1,"2",null,{}],"collection":[]}`,
		`{"source":"wordpress","version":1,"home":"https://a.example","events":[{"type":"post","id":49,"post_type":"post","links":["https://a.example/x/"]}]}`,
		`[]`, `null`, "", `"\ud800"`, "a=b&a=c", `{"ref":"refs/heads/main","commits":[{"added":["content/a.md"]}]}`,
	} {
		f.Add(body, "application/json", "entry.publish")
		f.Add(body, "application/x-www-form-urlencoded", "push")
	}
	rules := []Rule{
		{When: "body.event != nil", Paths: Texts{"/{body.entry?.slug}", "{map(body.commits ?? [], .added)}"}, Item: "a:{body.entry?.documentId}", Version: "{body.entry?.updatedAt}"},
		{Tags: Texts{`{"x" + string(body.n ?? 0)}`, "{body}", "{header['x-event']}"}, Prefixes: Texts{"{keys(body)}"}},
	}
	var hooks []*Hook
	for _, kind := range Kinds() {
		for _, r := range [][]Rule{nil, rules} {
			if r != nil || !kinds[kind].rules {
				hooks = append(hooks, mustHook(f, Config{Kind: kind, Rules: r, Upstream: r == nil}))
			}
		}
	}
	f.Fuzz(func(t *testing.T, body, contentType, name string) {
		header := http.Header{"Content-Type": {contentType}, "X-Event": {name}, "X-Contentful-Topic": {name}, "X-Wc-Webhook-Topic": {name}}
		for _, h := range hooks {
			e, err := h.Event(signature.Request{Method: "POST", Header: header, Body: []byte(body)}, Delivery{Event: signature.Event{Header: header, Body: []byte(body)}})
			if err != nil {
				continue
			}
			r := h.read(e)
			for _, texts := range [][]string{r.Paths, r.Known, r.Tags, r.Prefixes} {
				for _, s := range texts {
					if utf8.ValidString(body) && utf8.ValidString(name) && !utf8.ValidString(s) {
						t.Errorf("%s: %q is not UTF-8", h.cfg.Kind, s)
					}
				}
			}
			for _, i := range r.Items {
				if i.Tag == "" {
					t.Errorf("%s: an item has no tag", h.cfg.Kind)
				}
			}
		}
	})
}
