package api

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/worker"
)

// meant is what a trigger says.
type meant struct {
	Paths, Known, Labels, Items []string
	Settle                      time.Duration
}

func meaning(triggers []worker.Trigger) meant {
	var m meant
	for _, t := range triggers {
		for _, p := range t.Paths {
			m.Paths = append(m.Paths, p.String())
		}
		for _, p := range t.Known {
			m.Known = append(m.Known, p.String())
		}
		for _, l := range t.Labels {
			m.Labels = append(m.Labels, string(l))
		}
		for _, i := range t.Items {
			m.Items = append(m.Items, i.Tag+" "+i.Version)
		}
		m.Settle = t.Settle
	}
	return m
}

// eachCMSEvent runs a test in the hour in which the events were signed.
func eachCMSEvent(t *testing.T, test func(t *testing.T, e cmsEvent)) {
	for _, e := range cmsEvents(t) {
		t.Run(e.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(e.Time.Add(time.Second)))
				test(t, e)
			})
		})
	}
}

func TestPreset_eventBecomesATrigger(t *testing.T) {
	eachCMSEvent(t, func(t *testing.T, e cmsEvent) {
		want, ok := presetTriggers[e.Name]
		if !ok {
			t.Fatal("nobody says what this event means")
		}
		f := hooked(t, e, e.Secret)
		res, answer := f.post(e)
		if res.StatusCode != http.StatusOK || !answer.Revalidated || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("answer is %d %+v of type %s, want 200 in JSON", res.StatusCode, answer, res.Header.Get("Content-Type"))
		}
		if parked := f.state.parked; len(parked) > 0 {
			t.Errorf("%+v was parked", parked)
		}
		if diff := cmp.Diff(want, meaning(f.site.all())); diff != "" {
			t.Errorf("the trigger (-want +got):\n%s", diff)
		}
		if strings.Contains(f.logs.String(), e.Secret) {
			t.Errorf("the secret was logged:\n%s", f.logs)
		}
	})
}

// withoutNames are events that look the same when they are sent twice.
var withoutNames = []string{
	"contentful-header", "datocms-publish", "datocms-tags", "directus-create", "directus-update", "generic-bearer", "ghost-old", "kontent-legacy",
	"kontent-published", "payload-update", "prismic-test", "prismic-update", "storyblok-deleted", "storyblok-published", "strapi-delete",
	"strapi-null", "strapi-publish", "wp-webhooks-update",
}

func TestPreset_H37_replay(t *testing.T) {
	eachCMSEvent(t, func(t *testing.T, e cmsEvent) {
		f := hooked(t, e, e.Secret)
		f.post(e)
		before := len(f.site.all())
		time.Sleep(time.Minute)
		res, answer := f.post(e)
		if res.StatusCode != http.StatusOK || !answer.Revalidated {
			t.Errorf("answer is %d %+v, want 200", res.StatusCode, answer)
		}
		want := before
		if slices.Contains(withoutNames, e.Name) {
			want = 2 * before // there are two events, as far as anybody can tell
		}
		if got := len(f.site.all()); got != want {
			t.Errorf("%d triggers after %d, want %d", got, before, want)
		}
	})
}

func TestPreset_refusesWhatIsNotSigned(t *testing.T) {
	eachCMSEvent(t, func(t *testing.T, e cmsEvent) {
		try := func(what, secret string, change ...func(map[string][]string, *[]byte)) {
			t.Helper()
			f := hooked(t, e, secret)
			res, answer := f.post(e, change...)
			if res.StatusCode != http.StatusUnauthorized || answer.Revalidated || answer.Message != "Invalid signature" {
				t.Errorf("%s: answer is %d %+v, want 401", what, res.StatusCode, answer)
			}
			f.idle()
			if parked := f.state.parked; len(parked) > 0 {
				t.Errorf("%s: %+v was parked", what, parked)
			}
			if strings.Contains(f.logs.String(), e.Secret) {
				t.Errorf("%s: the secret was logged:\n%s", what, f.logs)
			}
		}
		other := strings.Repeat("another.", 8)
		if strings.HasPrefix(e.Secret, "whsec_") {
			other = "whsec_" + base64.StdEncoding.EncodeToString([]byte(other))
		}
		try("another secret", other)
		if e.signed || len(e.Proof) == 0 { // the secret stands in the body then
			at := max(0, strings.Index(string(e.Body), e.Secret))
			try("a byte of the body changed", e.Secret, func(_ map[string][]string, body *[]byte) { (*body)[at] ^= 1 })
			try("no body", e.Secret, func(_ map[string][]string, body *[]byte) { *body = nil })
		}
		for _, header := range e.Proof {
			value := e.Headers[header]
			try(header+" missing", e.Secret, func(h map[string][]string, _ *[]byte) { delete(h, header) })
			try(header+" changed", e.Secret, func(h map[string][]string, _ *[]byte) { h[header] = []string{"0" + value[1:] + "0"} })
			if !strings.EqualFold(header, "webhook-signature") && header != "svix-signature" && e.Name != "ghost-old" || e.Kind == "storyblok" {
				try(header+" twice", e.Secret, func(h map[string][]string, _ *[]byte) { h[header] = []string{value, value} })
			}
		}
		if e.timed {
			time.Sleep(5 * time.Minute)
			try("too late", e.Secret)
		}
	})
}

// presetTriggers are what the events mean.
var presetTriggers = map[string]meant{
	"wordpress-post": {
		Paths: []string{"/new"},
		Known: []string{
			"/old", "/", "/category/news", "/category/uncategorized", "/new/feed", "/feed", "/category/news/feed", "/category/uncategorized/feed",
			"/wp-sitemap.xml", "/wp-sitemap-posts-post-1.xml",
		},
		Labels: []string{
			"prefix:/page", "prefix:/category/news/page", "prefix:/category/uncategorized/page",
			"tag:near:/new", "tag:near:/old", "tag:list:wordpress/posts", "tag:archive:category:4", "tag:archive:category:1", "tag:archive:user:1",
		},
		Items:  []string{"post:49 2026-11-23T10:00:00"},
		Settle: 500 * time.Millisecond,
	},
	"standard-update": {Paths: []string{"/a", "/b"}, Labels: []string{"tag:news"}, Settle: 2 * time.Second},
	"standard-svix":   {Items: []string{"page:7 12"}, Settle: 2 * time.Second},
	"generic-bearer":  {Paths: []string{"/a"}, Labels: []string{"tag:news"}, Items: []string{"page:7 12"}, Settle: 2 * time.Second},

	"strapi-publish":  {Labels: []string{"tag:article"}, Items: []string{"article:ranrxj782aw5mvhw4watzq6n 2026-11-23T09:59:59.990Z"}, Settle: time.Second},
	"strapi-delete":   {Labels: []string{"tag:article"}, Items: []string{"article:ranrxj782aw5mvhw4watzq6n "}, Settle: time.Second},
	"strapi-null":     {Labels: []string{"tag:article"}, Settle: time.Second},
	"directus-update": {Labels: []string{"tag:articles"}, Items: []string{"articles:12 ", "articles:13 "}, Settle: 2 * time.Second},
	"directus-create": {Labels: []string{"tag:articles"}, Items: []string{"articles:14 "}, Settle: 2 * time.Second},
	"payload-update":  {Labels: []string{"tag:posts"}, Items: []string{"posts:65f1a0c2e4b0f2a1d8c3b4a5 2026-11-23T10:00:00.000Z"}, Settle: 2 * time.Second},

	"ghost-edited":  {Paths: []string{"/new"}, Labels: []string{"tag:post"}, Items: []string{"post:64f1a0c2e4b0f2a1d8c3b4a5 2026-11-23T10:00:00.000Z"}, Settle: 2 * time.Second},
	"ghost-deleted": {Labels: []string{"tag:post"}, Items: []string{"post:64f1a0c2e4b0f2a1d8c3b4a5 "}, Settle: 2 * time.Second},
	"ghost-old":     {Paths: []string{"/a"}, Labels: []string{"tag:post"}, Items: []string{"post:64f1a0c2e4b0f2a1d8c3b4a6 2026-11-23T10:00:00.000Z"}, Settle: 2 * time.Second},

	"contentful-publish":   {Labels: []string{"tag:blogPost"}, Items: []string{"blogPost:5KsD 7"}, Settle: 5 * time.Second},
	"contentful-unpublish": {Labels: []string{"tag:blogPost"}, Items: []string{"blogPost:5KsD "}, Settle: 5 * time.Second},
	"contentful-header":    {Labels: []string{"tag:asset"}, Items: []string{"asset:7aBc 2"}, Settle: 5 * time.Second},
	"sanity-update":        {Labels: []string{"tag:post"}, Items: []string{"post:p1 2026-11-23T10:00:00Z"}, Settle: 3 * time.Second},
	"sanity-delete":        {Labels: []string{"tag:post"}, Items: []string{"post:p1 "}, Settle: 3 * time.Second},
	"storyblok-published":  {Paths: []string{"/blog/first"}, Labels: []string{"tag:story"}, Items: []string{"story:42 "}, Settle: 3 * time.Second},
	"storyblok-deleted":    {Paths: []string{"/blog/first"}, Labels: []string{"tag:story"}, Items: []string{"story:42 "}, Settle: 3 * time.Second},
	"prismic-update":       {Labels: []string{"tag:document"}, Items: []string{"document:XyZ-1 ", "document:XyZ-2 "}, Settle: 3 * time.Second},
	"prismic-test":         {},
	"hygraph-publish":      {Labels: []string{"tag:Post"}, Items: []string{"Post:ckx1 2026-11-23T10:00:00.000000+00:00"}, Settle: 5 * time.Second},
	"hygraph-unpublish":    {Labels: []string{"tag:Post"}, Items: []string{"Post:ckx1 "}, Settle: 5 * time.Second},
	"datocms-tags":         {Labels: []string{"tag:N*r;L", "tag:6-KZ@t#k[:T"}, Settle: 3 * time.Second},
	"datocms-publish":      {Labels: []string{"tag:record"}, Items: []string{"record:348295724 2026-11-23T09:59:59.000+00:00"}, Settle: 3 * time.Second},
	"kontent-published":    {Labels: []string{"tag:article"}, Items: []string{"article:my_post 2026-11-23T10:00:00.0563735Z"}, Settle: 5 * time.Second},
	"kontent-legacy":       {Labels: []string{"tag:article"}, Items: []string{"article:gone "}, Settle: 5 * time.Second},

	"woocommerce-updated": {Paths: []string{"/product/cake"}, Labels: []string{"tag:product"}, Items: []string{"product:31 2026-11-23T10:00:00"}, Settle: 2 * time.Second},
	"woocommerce-deleted": {Labels: []string{"tag:product"}, Items: []string{"product:31 "}, Settle: 2 * time.Second},
	"wp-webhooks-update":  {Paths: []string{"/new"}, Labels: []string{"tag:post"}, Items: []string{"post:49 2026-11-23T10:00:00"}, Settle: 2 * time.Second},

	"github-push":   {Paths: []string{"/a", "/b", "/c"}, Settle: 2 * time.Second},
	"github-form":   {Paths: []string{"/b"}, Settle: 2 * time.Second},
	"gitlab-token":  {Paths: []string{"/b"}, Settle: 2 * time.Second},
	"gitlab-signed": {Paths: []string{"/d"}, Settle: 2 * time.Second},
}
