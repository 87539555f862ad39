package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/ledger"
	"rebake/worker"
)

const formType = "Content-Type: application/x-www-form-urlencoded"

func TestRevalidate_namesLabels(t *testing.T) {
	for _, c := range []struct{ name, query, body, header, want string }{
		{name: "tag", query: "tag=posts", want: "tag:posts"},
		{name: "tags, one by one", query: "tag=a&tag=b", want: "tag:a tag:b"},
		{name: "tags, with commas", query: "tag=a,b&tags=c", want: "tag:a tag:b tag:c"},
		{name: "tags, with spaces around them", query: "tags=a,+b", want: "tag:a tag:b"},
		{name: "tag twice", query: "tag=a&tags=b,a", want: "tag:a tag:b"},
		{name: "tag, as long as may be", query: "tag=" + strings.Repeat("é", 128), want: "tag:" + strings.Repeat("é", 128)},
		{name: "tag with a colon, a slash and a dot", query: "tag=template:blog/post.html", want: "tag:template:blog/post.html"},
		{name: "tags in JSON, list", body: `{"tags":["a","b"]}`, want: "tag:a tag:b"},
		{name: "tags in JSON, text", body: `{"tags":"a,b"}`, want: "tag:a tag:b"},
		{name: "tag in JSON", body: `{"tag":"a"}`, want: "tag:a"},
		{name: "tag in JSON, list", body: `{"tag":["a","b"],"tags":null}`, want: "tag:a tag:b"},
		{name: "tags in a form", body: "tags=a,b&tag=c", header: formType, want: "tag:c tag:a tag:b"},
		{name: "prefix", query: "prefix=/blog", want: "prefix:/blog"},
		{name: "prefix, escaped", query: "prefix=%2Fcaf%C3%A9", want: "prefix:/café"},
		{name: "prefix with a slash at its end", query: "prefix=/blog/", want: "prefix:/blog"},
		{name: "prefix of everything", query: "prefix=/", want: "prefix:/"},
		{name: "prefix twice", query: "prefix=/blog&prefix=/blog/", want: "prefix:/blog"},
		{name: "prefixes", query: "prefix=/blog&prefix=/shop", want: "prefix:/blog prefix:/shop"},
		{name: "prefix in JSON", body: `{"prefix":"/blog"}`, want: "prefix:/blog"},
		{name: "prefix in JSON, from a permalink", body: `{"prefix":"https://www.example.com/caf%c3%a9/"}`, want: "prefix:/café"},
		{name: "prefix in a form", body: "prefix=/blog", header: formType, want: "prefix:/blog"},
		{name: "tag and prefix", query: "prefix=/blog&tag=a", want: "tag:a prefix:/blog"},
		{name: "post id in a query", query: "postId=41", want: "item:post:41"},
		{name: "post id in a form", body: "postId=41", header: formType, want: "item:post:41"},
		{name: "post id, number", body: `{"postId":41}`, want: "item:post:41"},
		{name: "post id, text", body: `{"postId":"41"}`, want: "item:post:41"},
		{name: "post id, larger than a float can tell", body: `{"postId":9007199254740993}`, want: "item:post:9007199254740993"},
		{name: "content in a query", query: "contentType=page&contentId=7", want: "item:page:7"},
		{name: "content, number", body: `{"contentType":"page","contentId":7}`, want: "item:page:7"},
		{name: "a tag of WordPress, by the name of next-wp", body: `{"contentType":"tag","contentId":7}`, want: "tag:tag:7 item:post_tag:7"},
		{name: "an author, by the name of next-wp", body: `{"contentType":"author","contentId":1}`, want: "tag:author:1 item:user:1"},
		{name: "everything, by the button of next-wp", body: `{"contentType":"all"}`, want: "site"},
		{name: "content, text", body: `{"contentType":"page","contentId":"7"}`, want: "item:page:7"},
		{name: "data, number", body: `{"type":"post","data":{"id":47}}`, want: "item:post:47"},
		{name: "data, text", body: `{"type":"post","data":{"id":"47"}}`, want: "item:post:47"},
		{name: "data with a type of its own", body: `{"data":{"id":47,"type":"page"}}`, want: "item:page:47"},
		{name: "data of a term", body: `{"type":"term","data":{"id":4,"taxonomy":"category"}}`, want: "item:category:4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			w := f.revalidate("POST", c.query, c.body, c.header)
			if w.Code != 200 || w.object()["revalidated"] != true {
				t.Fatalf("answer is %d %s, want 200 and revalidated", w.Code, w.Body)
			}
			f.named(strings.Fields(c.want)...)
			f.triggered()
		})
	}
}

// One part of a request that says nothing does not spoil the others.
func TestRevalidate_takesItemBesideUselessFields(t *testing.T) {
	for _, c := range []struct{ name, query, body, want string }{
		{name: "empty list of paths", body: `{"postId":41,"paths":[],"path":null,"slug":null}`, want: "item:post:41"},
		{name: "empty tag", body: `{"postId":41,"tags":""}`, want: "item:post:41"},
		{name: "empty tag in a query", query: "postId=41&tags=", want: "item:post:41"},
		{name: "data that is nothing", body: `{"postId":41,"data":null}`, want: "item:post:41"},
		{name: "data of another shape", body: `{"postId":41,"data":["x"]}`, want: "item:post:41"},
		{name: "data without an id", body: `{"postId":41,"type":"post","data":{"action":"update"}}`, want: "item:post:41"},
		{name: "type of another shape", body: `{"postId":41,"type":{"name":"post"},"data":{"id":5}}`, want: "item:post:41"},
		{name: "content without an id", body: `{"postId":41,"contentType":"post"}`, want: "item:post:41"},
		{name: "content id of another shape", body: `{"postId":41,"contentType":"post","contentId":[1]}`, want: "item:post:41"},
		{name: "slug of an item that makes no page", body: `{"type":"term","data":{"id":4,"slug":"a;b","taxonomy":"category"}}`, want: "item:category:4"},
		{name: "empty slug of an item", body: `{"type":"post","data":{"id":4,"slug":""}}`, want: "item:post:4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			if w := f.revalidate("POST", c.query, c.body); w.Code != 200 {
				t.Fatalf("answer is %d %s, want 200", w.Code, w.Body)
			}
			f.named(c.want)
			f.triggered()
		})
	}
}

func TestRevalidate_takesPathBesideUselessItem(t *testing.T) {
	for _, body := range []string{
		`{"path":"/a","postId":[1]}`, `{"path":"/a","data":"x"}`, `{"path":"/a","type":[],"data":{"id":true}}`, `{"path":"/a","tag":""}`,
	} {
		t.Run(body, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", body)
			f.triggered("/a")
			f.labelled()
		})
	}
}

func TestRevalidate_refusesLabel(t *testing.T) {
	for _, c := range []struct{ name, query, body, code string }{
		{name: "empty tag", query: "tag=", code: "bad_tag"},
		{name: "empty tags", query: "tags=,+,", code: "bad_tag"},
		{name: "empty tags in JSON", body: `{"tags":["",""]}`, code: "bad_tag"},
		{name: "tag that is too long", query: "tag=" + strings.Repeat("é", 128) + "x", code: "bad_tag"},
		{name: "H04 NUL in a tag", query: "tag=a%00b", code: "bad_tag"},
		{name: "H05 line break in a tag", query: "tag=a%0d%0ab", code: "bad_tag"},
		{name: "H05 line break in a tag, in JSON", body: `{"tags":["a\nb"]}`, code: "bad_tag"},
		{name: "H05 control character of two bytes", query: "tag=a%C2%85b", code: "bad_tag"},
		{name: "H22 tag that is no text", query: "tag=%ff%fe", code: "bad_tag"},
		{name: "one bad tag of two", query: "tag=good&tag=a%00b", code: "bad_tag"},
		{name: "item whose type is too long", body: `{"contentType":"` + strings.Repeat("x", 256) + `","contentId":1}`, code: "bad_tag"},
		{name: "number as tag", body: `{"tag":5}`, code: "bad_json"},
		{name: "number in tags", body: `{"tags":["a",5]}`, code: "bad_json"},
		{name: "object as prefix", body: `{"prefix":{"a":1}}`, code: "bad_json"},
		{name: "list as post id", body: `{"postId":[41]}`, code: "bad_json"},
		{name: "true as content id", body: `{"contentType":"post","contentId":true}`, code: "bad_json"},
		{name: "list as data", body: `{"type":"post","data":[1]}`, code: "bad_json"},
		{name: "id twice", body: `{"type":"post","data":{"id":1,"id":2}}`, code: "bad_json"},
		{name: "item without a type", body: `{"data":{"id":1}}`, code: "missing_path"},
		{name: "item without an id", body: `{"type":"post","data":{}}`, code: "missing_path"},
		{name: "content without an id", query: "contentType=post", code: "missing_path"},
		{name: "content without a type", query: "contentId=5", code: "missing_path"},
		{name: "slug that makes no page, and no id", body: `{"type":"post","data":{"slug":"a;b"}}`, code: "charset"},
		{name: "empty prefix", query: "prefix=", code: "not_absolute"},
		{name: "bad path beside a tag", query: "tag=a&path=b", code: "not_absolute"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", c.query, c.body).wants(400, c.code)
			f.idle()
		})
	}
}

func TestRevalidate_refusesPrefixAsItDoesAPath(t *testing.T) {
	for _, h := range hostilePaths() {
		t.Run(h.name(), func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("GET", "prefix=/good&prefix="+h.sent, "").wants(400, h.code)
			body, err := json.Marshal(map[string]any{"tag": "good", "prefix": h.sent})
			if err != nil {
				t.Fatal(err)
			}
			f.revalidate("POST", "", string(body)).wants(400, h.code)
			f.idle()
		})
	}
}

func TestRevalidate_manyLabels(t *testing.T) {
	tags := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("t%d", i))
		}
		return strings.Join(list, ",")
	}
	t.Run("as many as allowed", func(t *testing.T) {
		f := newFixture(t)
		f.revalidate("GET", "tags="+tags(100), "")
		if n := len(f.site.all()[0].Labels); n != 100 {
			t.Errorf("%d labels, want 100", n)
		}
	})
	t.Run("H24 one more", func(t *testing.T) {
		f := newFixture(t)
		f.revalidate("GET", "tags="+tags(101), "").wants(400, "too_many")
		f.idle()
	})
	t.Run("H24 one more, in every place together", func(t *testing.T) {
		f := newFixture(t)
		v := url.Values{"tags": {tags(98)}, "prefix": {"/blog"}}
		f.revalidate("POST", v.Encode(), `{"prefix":"/shop","postId":4}`).wants(400, "too_many")
		f.idle()
	})
}

func TestRevalidate_countsPagesOfLabels(t *testing.T) {
	f := newFixture(t)
	got := f.revalidate("GET", "path=/a&tag=x&tag=y", "").object()
	delete(got, "now")
	want := map[string]any{"revalidated": true, "id": "22", "pages": 7.0} // one, and three of each tag
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestRevalidate_labelThatNoPageHas(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(_ context.Context, tr worker.Trigger) (worker.Accepted, error) {
		var a worker.Accepted
		for _, l := range tr.Labels {
			a.Labels = append(a.Labels, worker.AcceptedLabel{Label: l, ID: 5})
		}
		return a, nil
	}
	w := f.revalidate("GET", "tag=x&prefix=/blog", "")
	got := w.object()
	delete(got, "now")
	want := map[string]any{"revalidated": true, "id": "5", "pages": 0.0, "message": "no page has tag:x, prefix:/blog yet"}
	if diff := cmp.Diff(want, got); diff != "" || w.Code != 200 {
		t.Errorf("status %d, want 200; answer (-want +got):\n%s", w.Code, diff)
	}
}

func TestRevalidate_waitsForLabels(t *testing.T) {
	f := newFixture(t)
	waited := make(chan worker.AcceptedLabel, 1)
	f.site.waitLabel = func(_ context.Context, l worker.AcceptedLabel) error {
		waited <- l
		return nil
	}
	if w := f.revalidate("GET", "tag=x&wait=1", ""); w.Code != 200 || w.object()["pages"] != 3.0 {
		t.Errorf("answer is %d %s, want 200 and three pages", w.Code, w.Body)
	}
	if diff := cmp.Diff(worker.AcceptedLabel{Label: ledger.Tag("x"), ID: 21, Pages: 3}, <-waited); diff != "" {
		t.Errorf("waited for (-want +got):\n%s", diff)
	}
}

func TestRevalidate_waitForLabelThatFails(t *testing.T) {
	f := newFixture(t)
	f.site.waitLabel = func(context.Context, worker.AcceptedLabel) error {
		return fmt.Errorf("/b: %w: the CMS answers 500", worker.ErrNotPublished)
	}
	w := f.revalidate("GET", "path=/a&tag=x&wait=1", "")
	want := map[string]any{
		"revalidated": false, "message": "Error revalidating", "id": "21",
		"failed": []any{map[string]any{"path": "tag:x", "reason": "/b: not published: the CMS answers 500"}},
	}
	if diff := cmp.Diff(want, w.object()); diff != "" || w.Code != 500 {
		t.Errorf("status %d, want 500; answer (-want +got):\n%s", w.Code, diff)
	}
}
