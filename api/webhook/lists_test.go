package webhook

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A page that lists what has changed is found by one of these tags, whatever the
// source's url and its get are.
func TestKinds_ofASourceNameItsLists(t *testing.T) {
	for name, c := range map[string]struct{ kind, body, want string }{
		"contentful":                  {"contentful", `{"sys":{"type":"Entry","id":"5KsD","contentType":{"sys":{"id":"blogPost"}},"revision":1}}`, "list:cms"},
		"sanity":                      {"sanity", `{"_id":"p1","_type":"post"}`, "list:cms"},
		"prismic":                     {"prismic", `{"type":"api-update","masterRef":"Z","documents":["new1"]}`, "list:cms"},
		"kontent":                     {"kontent", `{"notifications":[{"data":{"system":{"codename":"a","type":"article"}},"message":{"object_type":"content_item","action":"published"}}]}`, "list:cms"},
		"storyblok":                   {"storyblok", `{"action":"published","story_id":1,"full_slug":"a"}`, "list:cms"},
		"hygraph":                     {"hygraph", `{"operation":"publish","data":{"__typename":"Post","id":"a"}}`, "list:cms"},
		"datocms":                     {"datocms", `{"entity_type":"item","event_type":"publish","entity":{"id":"7"}}`, "list:cms"},
		"strapi":                      {"strapi", `{"event":"entry.publish","model":"story","entry":{"documentId":"x"}}`, "list:cms/stories"},
		"strapi, below its host":      {"strapi", `{"event":"entry.publish","model":"article","entry":{"documentId":"x"}}`, "list:cms/api/articles"},
		"strapi, which does not know": {"strapi", `{"event":"entry.publish","model":"article","entry":null}`, "list:cms/articles"},
		"strapi by GraphQL":           {"strapi", `{"event":"entry.publish","model":"article","entry":{"documentId":"x"}}`, "list:cms/"},
		"directus":                    {"directus", `{"event":"articles.items.create","collection":"articles","key":1}`, "list:cms/items/articles"},
		"payload":                     {"payload", `{"collection":"posts","operation":"create","doc":{"id":"1"}}`, "list:cms/api/posts"},
		"ghost":                       {"ghost", `{"post":{"current":{"id":"1","status":"published"}}}`, "list:cms/posts"},
		"generic":                     {"generic", `{"item":"post:1"}`, "list:cms/posts"},
	} {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: c.kind, Upstream: true})
			if got := h.read(event(t, h, c.body)).Tags; !slices.Contains(got, c.want) {
				t.Errorf("tags are %q, want %q among them", got, c.want)
			}
			h = mustHook(t, Config{Kind: c.kind})
			if got := h.read(event(t, h, c.body)).Tags; slices.ContainsFunc(got, isList) {
				t.Errorf("tags of a webhook that is no source's are %q", got)
			}
		})
	}
}

func isList(tag string) bool { return strings.HasPrefix(tag, "list:") }

// Lists of what has not changed cost nothing.
func TestKinds_ofASourceNameNoOtherLists(t *testing.T) {
	for name, c := range map[string]struct {
		kind, body string
		want       []string
	}{
		"a kind with paths of its own": {
			"strapi", `{"event":"entry.publish","model":"story","entry":{"documentId":"x"}}`,
			[]string{"story", "list:cms/", "list:cms/story", "list:cms/stories", "list:cms/api/story", "list:cms/api/stories", "list:cms/items/story"},
		},
		"cache tags": {"datocms", `{"entity_type":"cda_cache_tags","event_type":"invalidate","entity":{"attributes":{"tags":["N*r;L"]}}}`, []string{"N*r;L"}},
		"a draft":    {"sanity", `{"_id":"drafts.p1","_type":"post"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: c.kind, Upstream: true})
			if diff := cmp.Diff(c.want, h.read(event(t, h, c.body)).Tags); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		})
	}
}
