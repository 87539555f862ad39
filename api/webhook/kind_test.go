package webhook

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/api/signature"
	"rebake/worker"
)

const testSecret = "a-webhook-CANARY-of-sixty-four-bytes-0123456789-0123456789-abcdef"

func mustHook(t testing.TB, cfg Config) *Hook {
	t.Helper()
	if cfg.Secret == nil {
		cfg.Secret = append(cfg.Secret, testSecret)
		if cfg.Kind == "standard" {
			cfg.Secret[0] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
		}
	}
	h, err := New("cms", cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// event decodes a body as the hook would, with headers of the form "Name: value".
func event(t testing.TB, h *Hook, body string, headers ...string) Event {
	t.Helper()
	r := signature.Request{Method: "POST", Header: map[string][]string{}, Body: []byte(body)}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	e, err := h.Event(r, Delivery{Event: signature.Event{Header: r.Header, Body: r.Body}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestKinds_areThoseWithASignature(t *testing.T) {
	if diff := cmp.Diff(signature.Kinds(), Kinds()); diff != "" {
		t.Errorf("kinds with a signature, and those that are read (-want +got):\n%s", diff)
	}
}

func TestKinds_haveTimes(t *testing.T) {
	for name, k := range kinds {
		if k.settle <= 0 || k.maxWait < 2*k.settle || k.maxWait > 30*time.Second || k.read == nil {
			t.Errorf("%s settles for %s, at most %s", name, k.settle, k.maxWait)
		}
	}
}

// The bodies are as the senders make them; what they leave out is not read.
func TestKinds_read(t *testing.T) {
	item := func(tag, version string) []worker.Item { return []worker.Item{{Tag: tag, Version: version}} }
	for name, c := range map[string]struct {
		kind, body string
		headers    []string
		want       Change
	}{
		"strapi publishes": {
			"strapi", `{"event":"entry.publish","createdAt":"2026-11-22T05:54:33.530Z","model":"article","uid":"api::article.article","entry":{"id":3,"documentId":"ranrxj","updatedAt":"2026-11-22T05:54:33.510Z","slug":"hello","publishedAt":"2026-11-22T05:54:33.520Z"}}`, nil,
			Change{Items: item("article:ranrxj", "2026-11-22T05:54:33.510Z"), Tags: []string{"article"}},
		},
		"strapi 4 has no document": {
			"strapi", `{"event":"entry.publish","model":"article","entry":{"id":3,"updatedAt":"2026-11-22T05:54:33.510Z"}}`, nil,
			Change{Items: item("article:3", "2026-11-22T05:54:33.510Z"), Tags: []string{"article"}},
		},
		"strapi publishes nobody knows what": {
			"strapi", `{"event":"entry.publish","model":"article","entry":null}`, nil,
			Change{Tags: []string{"article"}, Message: "the event does not say which entry; pages with the tag article are looked at"},
		},
		"strapi deletes": {
			"strapi", `{"event":"entry.delete","model":"article","entry":{"documentId":"ranrxj","updatedAt":"2026-11-22T05:54:33.510Z"}}`, nil,
			Change{Items: item("article:ranrxj", ""), Tags: []string{"article"}},
		},
		"strapi saves a draft": {
			"strapi", `{"event":"entry.update","model":"article","entry":{"documentId":"ranrxj","publishedAt":null}}`, nil,
			Change{Message: "a draft was saved, which no page shows"},
		},
		"strapi changes a picture": {
			"strapi", `{"event":"media.update","media":{"id":5,"updatedAt":"2026-11-22T05:54:33.510Z"}}`, nil,
			Change{Items: item("media:5", "2026-11-22T05:54:33.510Z"), Tags: []string{"media"}},
		},
		"ghost edits": {
			"ghost", `{"event":"post.published.edited","post":{"current":{"id":"64f","url":"https://blog.example/new/","status":"published","updated_at":"2026-11-22T05:54:33.000Z"},"previous":{"slug":"old"}}}`, nil,
			Change{Items: item("post:64f", "2026-11-22T05:54:33.000Z"), Tags: []string{"post"}, Paths: []string{"https://blog.example/new/"}},
		},
		"ghost before 6, which names no event, unpublishes": {
			"ghost", `{"post":{"current":{"id":"64f","url":"https://blog.example/p/1","status":"draft","updated_at":"2026-11-22T05:54:33.000Z"},"previous":{"status":"published"}}}`, nil,
			Change{Items: item("post:64f", ""), Tags: []string{"post"}},
		},
		"ghost deletes": {
			"ghost", `{"event":"page.deleted","page":{"current":{},"previous":{"id":"64f","status":"published"}}}`, nil,
			Change{Items: item("page:64f", ""), Tags: []string{"page"}},
		},
		"ghost saves a draft": {
			"ghost", `{"post":{"current":{"id":"64f","status":"draft"},"previous":{}}}`, nil,
			Change{Message: "a draft was saved, which no page shows"},
		},
		"ghost changes all": {"ghost", `{"event":"site.changed"}`, nil, Change{All: true}},
		"contentful publishes": {
			"contentful", `{"sys":{"type":"Entry","id":"5KsD","contentType":{"sys":{"id":"blogPost"}},"revision":7,"updatedAt":"2026-11-22T05:54:33.000Z"},"fields":{"slug":{"en-US":"hi"}}}`, []string{"X-Contentful-Topic: ContentManagement.Entry.publish"},
			Change{Items: item("blogPost:5KsD", "7"), Tags: []string{"blogPost"}},
		},
		"contentful unpublishes": {
			"contentful", `{"sys":{"type":"DeletedEntry","id":"5KsD","contentType":{"sys":{"id":"blogPost"}},"revision":7}}`, []string{"X-Contentful-Topic: ContentManagement.Entry.unpublish"},
			Change{Items: item("blogPost:5KsD", ""), Tags: []string{"blogPost"}},
		},
		"contentful saves": {
			"contentful", `{"sys":{"type":"Entry","id":"5KsD","contentType":{"sys":{"id":"blogPost"}}}}`, []string{"X-Contentful-Topic: ContentManagement.Entry.auto_save"},
			Change{Message: "the event ContentManagement.Entry.auto_save changes no page"},
		},
		"sanity": {
			"sanity", `{"_id":"p1","_type":"post","_updatedAt":"2026-11-22T05:54:33Z","_rev":"x1"}`, []string{"sanity-operation: update"},
			Change{Items: item("post:p1", "2026-11-22T05:54:33Z"), Tags: []string{"post"}},
		},
		"sanity saves a draft": {
			"sanity", `{"_id":"drafts.p1","_type":"post"}`, nil,
			Change{Message: "a draft was saved, which no page shows"},
		},
		"directus": {
			"directus", `{"event":"articles.items.update","collection":"articles","keys":["12",13],"payload":{"status":"published"}}`, nil,
			Change{Items: []worker.Item{{Tag: "articles:12"}, {Tag: "articles:13"}}, Tags: []string{"articles"}},
		},
		"directus creates": {
			"directus", `{"event":"articles.items.create","key":12,"payload":{"id":12}}`, nil,
			Change{Items: item("articles:12", ""), Tags: []string{"articles"}},
		},
		"storyblok": {
			"storyblok", `{"text":"..","action":"published","space_id":1,"story_id":42,"full_slug":"blog/first"}`, nil,
			Change{Items: item("story:42", ""), Tags: []string{"story"}, Paths: []string{"/blog/first"}},
		},
		"storyblok's first page": {
			"storyblok", `{"action":"published","story_id":1,"full_slug":"home"}`, nil,
			Change{Items: item("story:1", ""), Tags: []string{"story"}, Paths: []string{"/"}},
		},
		"prismic": {
			"prismic", `{"type":"api-update","domain":"my-repo","masterRef":"Z..","documents":["Xy1","Xy2"],"tags":{},"releases":{},"masks":{}}`, nil,
			Change{Items: []worker.Item{{Tag: "document:Xy1"}, {Tag: "document:Xy2"}}, Tags: []string{"document"}},
		},
		"prismic tests": {"prismic", `{"type":"test-trigger"}`, nil, Change{Message: "the test has come through"}},
		"hygraph": {
			"hygraph", `{"operation":"publish","data":{"__typename":"Post","id":"ck1","stage":"PUBLISHED","updatedAt":"2026-11-22T05:54:33+00:00"}}`, nil,
			Change{Items: item("Post:ck1", "2026-11-22T05:54:33+00:00"), Tags: []string{"Post"}},
		},
		"datocms' cache tags": {
			"datocms", `{"entity_type":"cda_cache_tags","event_type":"invalidate","entity":{"id":"cda_cache_tags","attributes":{"tags":["N*r;L","t6q"]}},"related_entities":[]}`, nil,
			Change{Tags: []string{"N*r;L", "t6q"}},
		},
		"datocms publishes": {
			"datocms", `{"entity_type":"item","event_type":"publish","entity":{"id":"7","meta":{"status":"published","updated_at":"2026-11-22T05:54:33.000+01:00"}}}`, nil,
			Change{Items: item("record:7", "2026-11-22T05:54:33.000+01:00"), Tags: []string{"record"}},
		},
		"kontent": {
			"kontent", `{"notifications":[{"data":{"system":{"codename":"my_post","type":"article","language":"default","last_modified":"2026-11-22T05:54:33Z"}},"message":{"object_type":"content_item","action":"published","delivery_slot":"published"}},{"data":{"system":{"codename":"other","type":"article"}},"message":{"object_type":"content_item","action":"published","delivery_slot":"preview"}}]}`, nil,
			Change{Items: item("article:my_post", "2026-11-22T05:54:33Z"), Tags: []string{"article"}},
		},
		"woocommerce": {
			"woocommerce", `{"id":9,"permalink":"https://shop.example/product/tea/","status":"publish","date_modified_gmt":"2026-11-22T05:54:33"}`, []string{"X-WC-Webhook-Topic: product.updated"},
			Change{Items: item("product:9", "2026-11-22T05:54:33"), Tags: []string{"product"}, Paths: []string{"https://shop.example/product/tea/"}},
		},
		"woocommerce sells": {"woocommerce", `{"id":9}`, []string{"X-WC-Webhook-Topic: order.created"}, Change{Message: "the event order.created changes no page"}},
		"WP Webhooks": {
			"wp-webhooks", `{"post_id":4,"post":{"post_type":"page","post_status":"publish","post_modified_gmt":"2026-11-22 05:54:33"},"post_permalink":"https://cms.example.com/about/"}`, nil,
			Change{Items: item("page:4", "2026-11-22T05:54:33"), Tags: []string{"page"}, Paths: []string{"https://cms.example.com/about/"}},
		},
		"payload": {
			"payload", `{"collection":"posts","operation":"update","doc":{"id":"64f","updatedAt":"2026-11-22T05:54:33.000Z","_status":"published"}}`, nil,
			Change{Items: item("posts:64f", "2026-11-22T05:54:33.000Z"), Tags: []string{"posts"}},
		},
		"payload saves a draft over what is published": {
			"payload", `{"collection":"posts","operation":"update","doc":{"id":"64f","updatedAt":"2026-11-22T05:54:33.000Z","_status":"draft"},"previousDoc":{"_status":"published"}}`, nil,
			Change{Items: item("posts:64f", ""), Tags: []string{"posts"}},
		},
		"generic": {
			"generic", `{"path":"/a","paths":["/b"],"tags":["x"],"prefix":"/c","item":"post:1","version":3}`, nil,
			Change{Paths: []string{"/a", "/b"}, Tags: []string{"x"}, Prefixes: []string{"/c"}, Items: item("post:1", "3")},
		},
		"standard": {
			"standard", `{"type":"content.updated","timestamp":"2026-11-22T05:54:33Z","data":{"tags":["x"]}}`, nil,
			Change{Tags: []string{"x"}},
		},
		"generic beside data": {
			"generic", `{"paths":["/blog/a"],"item":"post:1","version":3,"data":{"title":"x","tags":["t"],"item":"post:2"}}`, nil,
			Change{Paths: []string{"/blog/a"}, Tags: []string{"t"}, Items: []worker.Item{{Tag: "post:1", Version: "3"}, {Tag: "post:2"}}},
		},
		"payload names pages besides": {
			"payload", `{"collection":"posts","doc":{"id":"64f"},"paths":["/blog/a"]}`, nil,
			Change{Items: item("posts:64f", ""), Tags: []string{"posts"}, Paths: []string{"/blog/a"}},
		},
		"generic as a form": {
			"generic", "path=/a&tag=x", []string{"Content-Type: application/x-www-form-urlencoded"},
			Change{Paths: []string{"/a"}, Tags: []string{"x"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: c.kind})
			got := h.read(event(t, h, c.body, c.headers...))
			if len(got.Failed) > 0 {
				t.Fatalf("failed: %v", got.Failed)
			}
			if diff := cmp.Diff(c.want, got.Change, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
		})
	}
}

// What a sender says in another form than it is known to is kept for a person.
func TestKinds_readNothingOfWhatTheyDoNotKnow(t *testing.T) {
	for name, body := range map[string]string{
		"strapi": `{"event":"entry.publish"}`, "sanity": `{"title":"x"}`, "directus": `{"collection":"a"}`, "hygraph": ``,
		"contentful": `{"sys":{"type":"Entry"}}`, "wordpress": `[]`, "kontent": `{"notifications":[{"message":{"action":"published"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: name})
			if r := h.read(event(t, h, body)); len(r.Failed) != 1 || !r.IsZero() {
				t.Errorf("read as %+v, with the failures %v", r.Change, r.Failed)
			}
		})
	}
}

// Of those of the user's own, too: what they name may be written otherwise.
func TestKinds_readNothingOfWhatNamesNothing(t *testing.T) {
	for name, c := range map[string]struct{ kind, body string }{
		"an event":            {"generic", `{"type":"post.updated","data":{"id":7}}`},
		"of another shape":    {"generic", `{"paths":[{"path":"/blog/a"}]}`},
		"no body":             {"generic", ``},
		"standard":            {"standard", `{"type":"post.updated","data":{}}`},
		"payload":             {"payload", `{"doc":{"id":1}}`},
		"cache tags, of none": {"datocms", `{"entity_type":"cda_cache_tags","event_type":"invalidate","entity":{"attributes":{}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: c.kind})
			if r := h.read(event(t, h, c.body)); len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "add a rule that says what it means") || !r.IsZero() {
				t.Errorf("read as %+v, with the failures %v", r.Change, r.Failed)
			}
			h = mustHook(t, Config{Kind: c.kind, Rules: []Rule{{Paths: Texts{"/a"}}}})
			if r := h.read(event(t, h, c.body)); len(r.Failed) != 0 || len(r.Paths) != 1 {
				t.Errorf("with a rule, read as %+v, with the failures %v", r.Change, r.Failed)
			}
		})
	}
}

// One notification that says nothing is kept for a person, and the others count.
func TestReadKontent_oneOfSeveralNamesNothing(t *testing.T) {
	h := mustHook(t, Config{Kind: "kontent"})
	r := h.read(event(t, h, `{"notifications":[{"data":{"system":{}},"message":{"action":"published"}},{"data":{"system":{"codename":"a","type":"article"}},"message":{"action":"published"}}]}`))
	if diff := cmp.Diff(Change{Items: []worker.Item{{Tag: "article:a"}}, Tags: []string{"article"}}, r.Change, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
	if len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "number 0") {
		t.Errorf("failures are %v", r.Failed)
	}
}

func TestReadKontent_oneOfSeveralNamesNothingBefore2024(t *testing.T) {
	h := mustHook(t, Config{Kind: "kontent"})
	r := h.read(event(t, h, `{"data":{"items":[{"type":"article"},{"type":"article","codename":"b"}]},"message":{"api_name":"delivery_production","operation":"publish"}}`))
	if diff := cmp.Diff(Change{Items: []worker.Item{{Tag: "article:b"}}, Tags: []string{"article"}}, r.Change, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
	if len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "items[0]") {
		t.Errorf("failures are %v", r.Failed)
	}
}

// A rule that matches is about some of what a request tells, and not about what
// nobody understood.
func TestRules_besideWhatIsNotUnderstood(t *testing.T) {
	for kind, body := range map[string]string{
		"wordpress": `{"source":"wordpress","version":1,"home":"https://x.com/","events":[{"type":"newthing","id":3}]}`,
		"kontent":   `{"notifications":[{"data":{"system":{}},"message":{"action":"published"}},{"data":{"system":{"codename":"a","type":"article"}},"message":{"action":"published"}}]}`,
	} {
		t.Run(kind, func(t *testing.T) {
			h := mustHook(t, Config{Kind: kind, Rules: []Rule{{Paths: Texts{"/"}}}})
			if r := h.read(event(t, h, body)); len(r.Failed) != 1 || r.Failed[0].Message == "" || len(r.Paths) != 1 {
				t.Errorf("read as %+v, with the failures %v", r.Change, r.Failed)
			}
			h = mustHook(t, Config{Kind: kind, Rules: []Rule{{When: "body.nothing == 1", Paths: Texts{"/"}}}})
			if r := h.read(event(t, h, body)); len(r.Failed) != 0 || !r.IsZero() {
				t.Errorf("read as %+v where no rule matches, with the failures %v", r.Change, r.Failed)
			}
		})
	}
}
