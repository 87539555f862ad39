package webhook

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/worker"
)

// What a sender can tell besides that an item was published.
func TestKinds_readOtherEvents(t *testing.T) {
	items := func(kind string, tags ...string) Change {
		c := Change{}
		if kind != "" {
			c.Tags = []string{kind}
		}
		for _, tag := range tags {
			c.Items = append(c.Items, worker.Item{Tag: tag})
		}
		return c
	}
	dated := func(kind, tag, version string) Change {
		return Change{Tags: []string{kind}, Items: []worker.Item{{Tag: tag, Version: version}}}
	}
	all := Change{All: true}
	for name, c := range map[string]struct {
		kind, body string
		headers    []string
		want       Change
	}{
		"strapi 4 saves where nothing can be a draft":   {"strapi", `{"event":"entry.update","model":"article","entry":{"id":3,"title":"x","updatedAt":"2026-11-22T05:54:33.530Z"}}`, nil, dated("article", "article:3", "2026-11-22T05:54:33.530Z")},
		"strapi 3 creates where nothing can be a draft": {"strapi", `{"event":"entry.create","model":"address","entry":{"id":1,"city":"Paris","category":null,"images":[]}}`, nil, items("address", "address:1")},
		"strapi saves nobody knows what":                {"strapi", `{"event":"entry.update","model":"article","entry":null}`, nil, items("article")},
		"strapi publishes a release":                    {"strapi", `{"event":"releases.publish","isPublished":true,"release":{"id":1}}`, nil, all},
		"strapi tells something new":                    {"strapi", `{"event":"entry.renamed","model":"article","entry":{"documentId":"x"}}`, nil, items("article", "article:x")},

		"storyblok merges a release, since 2023": {"storyblok", `{"action":"merged","release_id":123,"space_id":1}`, nil, all},
		"storyblok merges a release, before":     {"storyblok", `{"action":"release_merged","release_id":123,"space_id":1}`, nil, all},
		"storyblok deploys, since 2023":          {"storyblok", `{"action":"deployed","branch_id":123,"space_id":1}`, nil, all},
		"storyblok deploys, before":              {"storyblok", `{"action":"branch_deployed","branch_id":123,"space_id":1}`, nil, all},
		"storyblok changes a datasource":         {"storyblok", `{"action":"entries_updated","datasource_slug":"colours","space_id":1}`, nil, all},
		"storyblok changes an old datasource":    {"storyblok", `{"action":"datasource_entry_saved","space_id":1}`, nil, all},
		"storyblok changes a picture":            {"storyblok", `{"action":"replaced","asset_id":7,"space_id":1}`, nil, items("asset", "asset:7")},

		"ghost 5 changes all, and says nothing":    {"ghost", `{}`, nil, all},
		"ghost deletes, and says only what it was": {"ghost", `{"event":"post.deleted","post":{"current":{},"previous":{"id":"64f","slug":"a"}}}`, nil, items("post", "post:64f")},

		"contentful changes a type":       {"contentful", `{"sys":{"type":"ContentType","id":"blogPost"}}`, []string{"X-Contentful-Topic: ContentManagement.ContentType.publish"}, all},
		"contentful takes a type away":    {"contentful", `{"sys":{"type":"DeletedContentType","id":"blogPost"}}`, []string{"X-Contentful-Topic: ContentManagement.ContentType.unpublish"}, all},
		"contentful moves an alias":       {"contentful", `{"sys":{"type":"EnvironmentAlias","id":"master"}}`, []string{"X-Contentful-Topic: ContentManagement.EnvironmentAlias.save"}, all},
		"contentful tells something new":  {"contentful", `{"sys":{"type":"Entry","id":"5KsD","contentType":{"sys":{"id":"blogPost"}},"revision":7}}`, []string{"X-Contentful-Topic: ContentManagement.Entry.localize"}, items("blogPost", "blogPost:5KsD")},
		"directus deletes, with payload":  {"directus", `{"event":"items.delete","collection":"articles","payload":["12","13"]}`, nil, items("articles", "articles:12", "articles:13")},
		"directus sorts":                  {"directus", `{"event":"items.sort","collection":"articles","item":"12","to":"13"}`, nil, items("articles", "articles:12")},
		"directus promotes a version":     {"directus", `{"event":"items.promote","collection":"articles","item":12,"version":"draft","payload":{}}`, nil, items("articles", "articles:12")},
		"payload saves perhaps a draft":   {"payload", `{"collection":"posts","operation":"update","doc":{"id":"1","updatedAt":"x","_status":"draft"}}`, nil, items("posts", "posts:1")},
		"prismic publishes a release":     {"prismic", `{"type":"api-update","masterRef":"a","documents":["X"],"releases":{"deletion":[{"id":"r","documents":["X","Y"]}]}}`, nil, items("document", "document:X", "document:Y")},
		"prismic has another master":      {"prismic", `{"type":"api-update","masterRef":"a","documents":[],"releases":{}}`, nil, all},
		"prismic changes a type":          {"prismic", `{"type":"api-update","documents":[],"masks":{"update":[{"id":"post"}]}}`, nil, all},
		"hygraph updates what is public":  {"hygraph", `{"operation":"update","data":{"__typename":"Post","id":"ck1","stage":"PUBLISHED","updatedAt":"2026-11-22T05:54:33Z"}}`, nil, dated("Post", "Post:ck1", "2026-11-22T05:54:33Z")},
		"hygraph tells something new":     {"hygraph", `{"operation":"archive","data":{"__typename":"Post","id":"ck1"}}`, nil, items("Post", "Post:ck1")},
		"datocms changes a model":         {"datocms", `{"entity_type":"item_type","event_type":"update","entity":{"id":"7"}}`, nil, all},
		"datocms promotes an environment": {"datocms", `{"entity_type":"environment","event_type":"promote","entity":{"id":"new"}}`, nil, all},
		"kontent changes a term":          {"kontent", kontentSays("taxonomy", "term_changed"), nil, dated("taxonomy", "taxonomy:topics", "2026-11-22T10:00:00Z")},
		"kontent makes a term":            {"kontent", kontentSays("taxonomy", "term_created"), nil, dated("taxonomy", "taxonomy:topics", "2026-11-22T10:00:00Z")},
		"kontent deletes a term":          {"kontent", kontentSays("taxonomy", "term_deleted"), nil, dated("taxonomy", "taxonomy:topics", "2026-11-22T10:00:00Z")},
		"kontent moves terms":             {"kontent", kontentSays("taxonomy", "terms_moved"), nil, dated("taxonomy", "taxonomy:topics", "2026-11-22T10:00:00Z")},
		"kontent changes a picture":       {"kontent", kontentSays("asset", "metadata_changed"), nil, dated("asset", "asset:topics", "2026-11-22T10:00:00Z")},
		"kontent changes a type":          {"kontent", kontentSays("content_type", "changed"), nil, all},
		"kontent changes a language":      {"kontent", kontentSays("language", "changed"), nil, all},
		"kontent tells something new":     {"kontent", kontentSays("asset", "replaced"), nil, items("asset", "asset:topics")},
		"kontent before 2024":             {"kontent", `{"data":{"items":[{"codename":"a","type":"article","language":"en"},{"codename":"a","type":"article","language":"de"}],"taxonomies":[]},"message":{"type":"content_item_variant","operation":"publish","api_name":"delivery_production"}}`, nil, items("article", "article:a")},
		"kontent before 2024, of terms":   {"kontent", `{"data":{"taxonomies":[{"codename":"topics"}]},"message":{"type":"taxonomy","operation":"upsert","api_name":"delivery_production"}}`, nil, items("taxonomy", "taxonomy:topics")},
		"woocommerce has it back":         {"woocommerce", `{"id":9,"status":"publish","date_modified_gmt":"2026-11-22T05:54:33"}`, []string{"X-WC-Webhook-Topic: product.restored"}, dated("product", "product:9", "2026-11-22T05:54:33")},
		"woocommerce with another plugin": {"woocommerce", `{"id":4}`, []string{"X-WC-Webhook-Topic: category.updated"}, items("category", "category:4")},
	} {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: c.kind})
			got := h.read(event(t, h, c.body, c.headers...))
			if len(got.Failed) > 0 {
				t.Fatalf("failed: %v", got.Failed)
			}
			if diff := cmp.Diff(c.want, got.Change, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Change{}, "Message")); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
		})
	}
}

func kontentSays(object, action string) string {
	return `{"notifications":[{"data":{"system":{"codename":"topics","last_modified":"2026-11-22T10:00:00Z"}},"message":{"object_type":"` + object + `","action":"` + action + `","delivery_slot":"published"}}]}`
}

// What is known to change no page costs nothing, and bothers nobody.
func TestKinds_ignoreWhatChangesNoPage(t *testing.T) {
	for name, c := range map[string]struct{ kind, body, header string }{
		"strapi tests":                   {"strapi", `{"event":"trigger-test"}`, ""},
		"strapi moves a stage":           {"strapi", `{"event":"review-workflows.updateEntryStage","model":"article","entry":{"id":1}}`, ""},
		"strapi discards a draft":        {"strapi", `{"event":"entry.draft-discard","model":"article","entry":{"documentId":"x"}}`, ""},
		"strapi 3 saves a draft":         {"strapi", `{"event":"entry.update","model":"article","entry":{"id":1,"published_at":null}}`, ""},
		"strapi fails to release":        {"strapi", `{"event":"releases.publish","isPublished":false}`, ""},
		"storyblok adds a person":        {"storyblok", `{"action":"added","user_id":7,"space_id":1}`, ""},
		"storyblok moves a stage":        {"storyblok", `{"action":"stage.changed","workflow_name":"w","space_id":1}`, ""},
		"ghost adds a member":            {"ghost", `{"event":"member.added","member":{"current":{"id":"1"}}}`, ""},
		"ghost plans a post":             {"ghost", `{"event":"post.scheduled","post":{"current":{"id":"1","status":"scheduled"},"previous":{"status":"draft"}}}`, ""},
		"contentful makes a type":        {"contentful", `{"sys":{"type":"ContentType","id":"x"}}`, "X-Contentful-Topic: ContentManagement.ContentType.save"},
		"contentful has a task":          {"contentful", `{"sys":{"type":"Task","id":"x"}}`, "X-Contentful-Topic: ContentManagement.Task.create"},
		"contentful runs a release":      {"contentful", `{"sys":{"type":"ReleaseAction","id":"x"}}`, "X-Contentful-Topic: ContentManagement.ReleaseAction.execute"},
		"payload begins with a draft":    {"payload", `{"collection":"posts","operation":"create","doc":{"id":"1","_status":"draft"}}`, ""},
		"payload goes on with a draft":   {"payload", `{"collection":"posts","operation":"update","doc":{"id":"1","_status":"draft"},"previousDoc":{"_status":"draft"}}`, ""},
		"prismic edits a release":        {"prismic", `{"type":"api-update","documents":[],"releases":{"update":[{"id":"r","documents":["X"]}]},"masks":{}}`, ""},
		"hygraph saves a draft":          {"hygraph", `{"operation":"update","data":{"__typename":"Post","id":"ck1","stage":"DRAFT"}}`, ""},
		"datocms builds":                 {"datocms", `{"entity_type":"build_trigger","event_type":"deploy_started","entity":{"id":"1"}}`, ""},
		"datocms makes a model":          {"datocms", `{"entity_type":"item_type","event_type":"create","entity":{"id":"1"}}`, ""},
		"datocms forks":                  {"datocms", `{"entity_type":"environment","event_type":"create","entity":{"id":"1"}}`, ""},
		"kontent has a draft":            {"kontent", `{"notifications":[{"data":{"system":{"codename":"a","type":"article"}},"message":{"object_type":"content_item","action":"workflow_step_changed","delivery_slot":"preview"}}]}`, ""},
		"kontent makes a type":           {"kontent", kontentSays("content_type", "created"), ""},
		"kontent has a picture":          {"kontent", kontentSays("asset", "created"), ""},
		"kontent before 2024, in a step": {"kontent", `{"data":{"items":[{"item":{"id":"x"}}]},"message":{"api_name":"content_management"}}`, ""},
		"WP Webhooks has a person":       {"wp-webhooks", `{"user_id":5}`, "X-WP-Webhook-Name: user_update"},
	} {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: c.kind})
			if r := h.read(event(t, h, c.body, c.header)); len(r.Failed) > 0 || !r.IsZero() || r.Message == "" {
				t.Errorf("read as %+v, with the failures %v", r.Change, r.Failed)
			}
		})
	}
}

// An event that nobody knows, and that names nothing, is kept for a person: it
// may have changed a page. A rule of any sort says that it has not.
func TestKinds_doNotIgnoreWhatTheyDoNotKnow(t *testing.T) {
	for kind, c := range map[string]struct{ body, header string }{
		"strapi":      {`{"event":"folder.move"}`, ""},
		"storyblok":   {`{"action":"experiment_started","space_id":1}`, ""},
		"ghost":       {`{"event":"collection.edited","collection":{"current":{}}}`, ""},
		"contentful":  {`{"slug":"of a payload of their own"}`, ""},
		"prismic":     {`{"type":"something"}`, ""},
		"hygraph":     {`{"operation":"something","data":{}}`, ""},
		"datocms":     {`{"entity_type":"something","event_type":"update"}`, ""},
		"kontent":     {`{"data":{},"message":{"operation":"something","api_name":"delivery_production"}}`, ""},
		"woocommerce": {`{"action":"wc_x","arg":5}`, "X-WC-Webhook-Topic: action.wc_x"},
		"wp-webhooks": {`{"comment_id":5}`, "X-WP-Webhook-Name: comment_create"},
	} {
		t.Run(kind, func(t *testing.T) {
			h := mustHook(t, Config{Kind: kind})
			if r := h.read(event(t, h, c.body, c.header)); len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "is not known") || !r.IsZero() {
				t.Errorf("read as %+v, with the failures %v", r.Change, r.Failed)
			}
			h = mustHook(t, Config{Kind: kind, Rules: []Rule{{When: "body.nothing == 1"}}})
			if r := h.read(event(t, h, c.body, c.header)); len(r.Failed) != 0 || !r.IsZero() {
				t.Errorf("with rules, read as %+v, with the failures %v", r.Change, r.Failed)
			}
		})
	}
}
