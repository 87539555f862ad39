package webhook

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/worker"
)

// wordpress reads one event of the plugin, as the source wp.
func wordpress(t *testing.T, events string) Change {
	t.Helper()
	c, err := readWordPress(Event{Source: "wp", Raw: []byte(`{"source":"wordpress","version":1,"home":"https://x.com","events":[` + events + `]}`)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReadWordPress(t *testing.T) {
	for _, tt := range []struct {
		name, events string
		want         Change
	}{
		{
			"a post with another slug and category",
			`{"type":"post","id":49,"post_type":"post","rest_base":"posts","status":"publish","old_status":"publish","modified_gmt":"2026-11-23T10:00:00",
			"links":["https:\/\/x.com\/new\/"],"old_links":["https:\/\/x.com\/old\/"],"archives":["https://x.com/","https://x.com/category/b/"],"old_archives":["https://x.com/category/a/"],
			"terms":["category:4"],"old_terms":["category:1"],"author":1,"old_author":"1","listed":true,"descendants":[],"old_descendants":[]}`,
			Change{
				Paths: []string{"https://x.com/new/"},
				Known: []string{
					"https://x.com/old/", "https://x.com/", "https://x.com/category/b/", "https://x.com/category/a/",
					"https://x.com/new/feed", "https://x.com/feed", "https://x.com/category/b/feed", "https://x.com/category/a/feed",
					"https://x.com/wp-sitemap.xml", "https://x.com/wp-sitemap-posts-post-1.xml",
				},
				Prefixes: []string{"https://x.com/page", "https://x.com/category/b/page", "https://x.com/category/a/page"},
				Tags:     []string{"near:/new", "near:/old", "list:wp/posts", "archive:category:4", "archive:category:1", "archive:user:1"},
				Items:    []worker.Item{{Tag: "post:49", Version: "2026-11-23T10:00:00"}},
			},
		},
		{
			"a post whose text alone has changed",
			`{"type":"post","id":49,"post_type":"post","rest_base":"posts","modified_gmt":"2026-11-23T10:00:00","links":["https://x.com/a/"],"archives":["https://x.com/"],"terms":["category:4"],"listed":false}`,
			Change{
				Paths: []string{"https://x.com/a/"}, Known: []string{"https://x.com/", "https://x.com/a/feed", "https://x.com/feed"},
				Tags: []string{"near:/a"}, Items: []worker.Item{{Tag: "post:49", Version: "2026-11-23T10:00:00"}},
			},
		},
		{
			"a page whose slug has changed moves its children",
			`{"type":"post","id":7,"post_type":"page","rest_base":"pages","links":["https://x.com/b/"],"old_links":["https://x.com/a/"],"descendants":["https://x.com/b/c/"],"old_descendants":["https://x.com/a/c/"]}`,
			Change{
				Paths: []string{"https://x.com/b/", "https://x.com/b/c/"},
				Known: []string{"https://x.com/a/", "https://x.com/a/c/", "https://x.com/b/feed"}, Tags: []string{"near:/b", "near:/a"},
				Items: []worker.Item{{Tag: "page:7"}},
			},
		},
		{
			"a post in the trash, as PHP writes arrays with holes and what is not there",
			`{"type":"post","id":"49","post_type":"post","rest_base":"posts","links":[],"old_links":{"1":"https://x.com/a/","0":false},"archives":false,"old_archives":{"3":"https://x.com/"},"terms":null,"listed":true}`,
			Change{
				Known:    []string{"https://x.com/a/", "https://x.com/", "https://x.com/feed", "https://x.com/wp-sitemap.xml", "https://x.com/wp-sitemap-posts-post-1.xml"},
				Prefixes: []string{"https://x.com/page"}, Tags: []string{"near:/a", "list:wp/posts"},
				Items: []worker.Item{{Tag: "post:49"}},
			},
		},
		{
			"an attachment that comes as a post", `{"type":"post","id":12,"post_type":"attachment"}`,
			Change{Items: []worker.Item{{Tag: "media:12"}}},
		},
		{
			"a renamed term",
			`{"type":"term","taxonomy":"category","id":4,"action":"edited","links":["https://x.com/category/b/"],"old_links":["https://x.com/category/a/"],"archives":["https://x.com/category/parent/"]}`,
			Change{
				Paths: []string{"https://x.com/category/b/"},
				Known: []string{
					"https://x.com/category/a/",
					"https://x.com/category/parent/", "https://x.com/category/b/feed", "https://x.com/category/a/feed",
					"https://x.com/wp-sitemap.xml", "https://x.com/wp-sitemap-taxonomies-category-1.xml",
				},
				Prefixes: []string{"https://x.com/category/b/page", "https://x.com/category/a/page"},
				Tags:     []string{"archive:category:4"}, Items: []worker.Item{{Tag: "category:4"}},
			},
		},
		{
			"a user", `{"type":"user","id":1,"links":["https://x.com/author/b/"],"old_links":["https://x.com/author/a/"]}`,
			Change{
				Paths:    []string{"https://x.com/author/b/"},
				Known:    []string{"https://x.com/author/a/"},
				Prefixes: []string{"https://x.com/author/b/page", "https://x.com/author/a/page"},
				Tags:     []string{"archive:user:1"}, Items: []worker.Item{{Tag: "user:1"}},
			},
		},
		{"media", `{"type":"media","id":12}`, Change{Items: []worker.Item{{Tag: "media:12"}}}},
		{
			"a comment", `{"type":"comment","id":5,"post":49,"post_type":"post","links":["https://x.com/a/"]}`,
			Change{
				Paths: []string{"https://x.com/a/"}, Known: []string{"https://x.com/a/feed", "https://x.com/comments/feed"},
				Tags: []string{"post:49", "list:wp/comments"},
			},
		},
		{"the menu", `{"type":"site","what":"menu"}`, Change{All: true}},
		{"everything", `{"type":"all"}`, Change{All: true}},
		{"a page that somebody asks for", `{"type":"manual","links":["https://x.com/a/"]}`, Change{Paths: []string{"https://x.com/a/"}}},
		{"a test", `{"type":"test"}`, Change{Home: "https://x.com", Message: "the test has come through"}},
		{
			"a type that is not known, with pages", `{"type":"weather","links":["https://x.com/a/"],"old_links":["https://x.com/b/"]}`,
			Change{Paths: []string{"https://x.com/a/"}, Known: []string{"https://x.com/b/"}, Message: `an event of the type "weather" is not known; the pages that it names are looked at`},
		},
		{
			"links that are none", `{"type":"post","id":49,"post_type":"post","links":["https://x.com/?p=49"]}`,
			Change{Items: []worker.Item{{Tag: "post:49"}}, Message: `"https://x.com/?p=49" is no page's address`},
		},
		{
			"an old address that another post has now",
			`{"type":"manual","links":["https://x.com/a/"]},{"type":"media","id":1,"old_links":["https://x.com/a/","https://x.com/b/","https://x.com/b/"]}`,
			Change{Paths: []string{"https://x.com/a/"}, Known: []string{"https://x.com/b/"}, Items: []worker.Item{{Tag: "media:1"}}},
		},
		{
			"much to be said", `{"type":"manual","links":["/?1","/?2","/?3","/?4"]},{"type":"test"},{"type":"manual","links":["/?5"]},{"type":"all"}`,
			Change{All: true, Home: "https://x.com", Message: `"/?1" is no page's address; "/?2" is no page's address; "/?3" is no page's address; "/?4" is no page's address; the test has come through; and 1 more`},
		},
		{
			"a term of an attribute of a shop", `{"type":"term","taxonomy":"pa_цвет","id":4,"links":["https://x.com/цвет/red/"]}`,
			Change{
				Paths: []string{"https://x.com/цвет/red/"},
				Known: []string{
					"https://x.com/цвет/red/feed", "https://x.com/wp-sitemap.xml", "https://x.com/wp-sitemap-taxonomies-pa_%D1%86%D0%B2%D0%B5%D1%82-1.xml",
				},
				Prefixes: []string{"https://x.com/цвет/red/page"},
				Tags:     []string{"archive:pa_цвет:4"}, Items: []worker.Item{{Tag: "pa_цвет:4"}},
			},
		},
		{
			"one item twice", `{"type":"media","id":1,"modified_gmt":"2026-01-01T00:00:00"},{"type":"media","id":1,"modified_gmt":"2026-01-02T00:00:00"},{"type":"media","id":1}`,
			Change{Items: []worker.Item{{Tag: "media:1", Version: "2026-01-02T00:00:00"}}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, wordpress(t, tt.events), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadWordPress_aQuestion(t *testing.T) {
	c, err := readWordPress(Event{Raw: []byte(`{"source":"wordpress","version":1,"ask":["https://x.com/a/"]}`)})
	if diff := cmp.Diff(Change{Ask: []string{"https://x.com/a/"}}, c); err != nil || diff != "" {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
}

func TestReadWordPress_whenItWasSent(t *testing.T) {
	for text, want := range map[string]time.Time{`"2026-11-23T10:00:05Z"`: time.Date(2026, 11, 23, 10, 0, 5, 0, time.UTC), `"today"`: {}} {
		c, err := readWordPress(Event{Raw: []byte(`{"source":"wordpress","version":1,"at":` + text + `,"events":[{"type":"all"}]}`)})
		if err != nil || !c.All || !c.Edited.Equal(want) {
			t.Errorf("at %s: edited = %v, all = %v, %v; want %v", text, c.Edited, c.All, err, want)
		}
	}
}

// What nothing can be made of is kept for a person, and the rest counts.
func TestReadWordPress_whatAPersonHasToLookAt(t *testing.T) {
	for _, tt := range []struct {
		name, events, err string
		want              Change
	}{
		{"no object", `"post",{"type":"media","id":1}`, `event 1 cannot be read: it is a string and no object`, Change{Items: []worker.Item{{Tag: "media:1"}}}},
		{
			"a field of another type", `{"type":"post","id":49,"post_type":"recipe","rest_base":true,"links":["https://x.com/a/"]}`, `event 1 cannot be read: its rest_base is a bool`,
			Change{
				Paths: []string{"https://x.com/a/"}, Known: []string{"https://x.com/a/feed"}, Tags: []string{"near:/a"},
				Items: []worker.Item{{Tag: "recipe:49"}},
			},
		},
		{
			"no item", `{"type":"post","id":0,"post_type":"a b","links":["https://x.com/a/"]}`, `an event of the type post names no item: "a b" 0`,
			Change{Paths: []string{"https://x.com/a/"}, Known: []string{"https://x.com/a/feed"}, Tags: []string{"near:/a"}},
		},
		{"several", `1,{"type":"media"},{"type":"weather"},null`, `event 1 cannot be read: it is a number and no object; an event of the type media names no item: "media" 0; ` +
			`events of a type that is not known, and that name no page: "weather", ""`, Change{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := readWordPress(Event{Source: "wp", Raw: []byte(`{"source":"wordpress","version":1,"home":"https://x.com","events":[` + tt.events + `]}`)})
			if err == nil || err.Error() != tt.err {
				t.Errorf("the error is %v, want %s", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, c, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadWordPress_aTypeThatIsNotKnown(t *testing.T) {
	c, err := readWordPress(Event{Raw: []byte(`{"source":"wordpress","version":1,"events":[{"type":"weather"},{"type":"media","id":1},{"type":"weather"},{"type":"tide"}]}`)})
	if err == nil || !strings.HasSuffix(err.Error(), `name no page: "weather", "tide"`) || len(c.Items) != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestReadWordPress_aNewerPlugin(t *testing.T) {
	c, err := readWordPress(Event{Raw: []byte(`{"source":"wordpress","version":2,"events":[{"type":"all"}]}`)})
	if err != nil || !c.All || !strings.Contains(c.Message, "newer") {
		t.Errorf("got %+v, %v; want it done and told", c, err)
	}
}

func TestReadWordPress_whatIsNoRequestOfIt(t *testing.T) {
	for body, want := range map[string]string{
		``: "read the plugin's request", `[]`: "read the plugin's request", `{"source":"wordpress"`: "read the plugin's request",
		`{"source":"ghost","events":[{"type":"all"}]}`: "not wordpress", `{"source":"wordpress","events":[]}`: "no events",
	} {
		if c, err := readWordPress(Event{Raw: []byte(body)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v; want an error with %q", body, c, err, want)
		}
	}
}

func FuzzReadWordPress(f *testing.F) {
	f.Add([]byte(`{"source":"wordpress","version":1,"events":[{"type":"post","id":49,"post_type":"post","links":{"1":"https://x.com/a/"},"terms":["category:4"],"listed":true}]}`))
	f.Add([]byte(`{"source":"wordpress","ask":["https://x.com/"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := readWordPress(Event{Source: "wp", Raw: body})
		if err != nil && len(c.Ask) > 0 {
			t.Errorf("an error, %v, and a question, %v", err, c.Ask)
		}
	})
}
