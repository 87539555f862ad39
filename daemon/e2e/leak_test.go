package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hidden is a post with a text that not everybody may read. The text holds a
// marker, and so do title and excerpt, unless they are everybody's.
type hidden struct {
	item
	kind   string
	marker string
	path   string // the address that it would have, or has
}

// leaks is a real WordPress, once with its own theme and once as a source,
// with all kinds of posts that are not public.
type leaks struct {
	wp       *wordPress
	themed   *site // its pages are WordPress' own
	headless *site // asks with an editor's credentials, and for drafts
	upstream *recorder
	public   item // a post
	posts    []hidden
	editor   *visitor // has signed in, and has entered the password
}

// publicMarker is in a post that everybody may read. Who searches must find it
// wherever the others' markers could have been.
const publicMarker = "marker-of-the-public"

// guarded is the password of the post that has one.
const guardedBy = "sesame-of-the-guarded"

func TestWordPress_DraftsAndPreviewsNeverLeak(t *testing.T) {
	t.Parallel()
	l := newLeaks(t, newServer(t))
	sites := []*site{l.themed, l.headless}
	l.makePosts(t)
	for _, s := range sites {
		s.run("build")
		s.serve()
	}
	l.signIn(t)
	for _, s := range sites {
		l.triggerAll(t, s)
		s.awaitCalm(t)
	}
	t.Run("control: the editor sees them all", l.testEditor)
	for _, s := range sites {
		l.visit(t, s)
		s.awaitCalm(t)
	}
	t.Run("an upstream sees nothing of a visitor", l.testUpstream)
	t.Run("what is taken back goes, with its text", l.testTakenBack)
	t.Run("no file, key, log and no state has their text", func(t *testing.T) {
		for _, s := range sites {
			s.rebake.stop()
			l.search(t, s)
		}
	})
}

func newLeaks(t *testing.T, server *server) *leaks {
	addr := freePort(t)
	l := &leaks{upstream: newRecorder(t, addr)}
	l.themed = newSite(t, fmt.Sprintf(`
log: {level: debug}
origins:
  wp: {kind: wordpress, urls: ["http://%s"], webhook: {secret: %q}}
routes:
  - {path: /, origin: wp}
  - {path: "/{rest...}", origin: wp, misses: any}
`, l.upstream.addr, hookSecret), nil)
	l.themed.Reload(func(public string) string { // visitors do not come by the recorder
		return strings.ReplaceAll(l.themed.nginxConfig(public), l.upstream.addr, addr)
	})
	l.wp = server.newWordPress(t, "leaks", addr, l.themed.URL, l.themed.URL)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(editorName+":"+l.wp.password))
	const all = "status=publish,draft,future,private,pending,trash&context=edit&_embed"
	l.headless = newSite(t, fmt.Sprintf(`
log: {level: debug}
sources:
  cms: {kind: wordpress, url: "http://%[1]s/wp-json/wp/v2"}
  desk: {kind: wordpress, url: "http://%[1]s/wp-json/wp/v2", headers: {Authorization: %[2]q}, webhook: {secret: %[4]q}}
routes:
  - {path: /, template: list.html, data: {posts: {source: desk, get: "/posts?per_page=100&%[3]s"}}}
  - {path: /public, template: list.html, data: {posts: {source: cms, get: "/posts?per_page=100&_embed"}}}
  - {path: "/by-id/{id}", template: post.html, data: {post: {source: desk, get: "/posts/{id}?context=edit&_embed", one: true}}}
  - {path: "/unknown/{id}", template: post.html, data: {post: {source: cms, get: "/posts/{id}?_embed", one: true}}}
  - path: "/{year}/{month}/{slug}"
    template: post.html
    data: {post: {source: desk, get: "/posts?slug={slug}&%[3]s", one: true}}
    canonical: "/{year}/{month}/{slug}"
    list: {source: desk, get: "/posts?per_page=100&%[3]s", path: "/{item.date[0:4]}/{item.date[5:7]}/{slug}", as: post}
`, l.upstream.addr, basic, all, hookSecret), map[string]string{
		"templates/list.html": `<!doctype html><html><body>{{range .posts}}{{.title.rendered}} {{trusted .content.rendered}} {{.}}{{end}}</body></html>`,
		"templates/post.html": `<!doctype html><html><body>{{.post.title.rendered}} {{trusted .post.content.rendered}} {{.post}}</body></html>`,
	})
	return l
}

// makePosts makes one post of each kind, and a public one that leads to all of
// them.
func (l *leaks) makePosts(t *testing.T) {
	t.Helper()
	var links strings.Builder
	for _, kind := range []string{"draft", "future", "private", "pending", "trash", "guarded", "autosave"} {
		marker := "marker-of-the-" + kind
		f := fields{
			"slug": "a-" + kind, "status": kind, "title": "Title with " + marker,
			"content": "Text with " + marker + ".", "excerpt": "Excerpt with " + marker + ".",
		}
		switch kind {
		case "future":
			f["date"] = "2099-01-01T00:00:00"
		case "trash", "autosave":
			f["status"] = "draft"
		case "guarded":
			f["status"], f["title"], f["password"] = "publish", "Guarded", guardedBy
		}
		if kind == "autosave" { // of a public post, whose new text is not saved yet
			f["status"], f["title"], f["content"], f["excerpt"] = "publish", "Being edited", "Old text.", "Old excerpt."
		}
		h := hidden{kind: kind, marker: marker, item: l.wp.create(t, "posts", f)}
		switch kind {
		case "trash":
			l.wp.trash(t, "posts", h.ID)
		case "autosave":
			l.wp.rest(t, http.MethodPost, fmt.Sprintf("/posts/%d/autosaves", h.ID), fields{"title": marker, "content": marker, "excerpt": marker}, nil)
		}
		h.path = time.Now().UTC().Format("/2006/01/") + h.Slug
		if kind == "future" {
			h.path = "/2099/01/" + h.Slug
		}
		l.posts = append(l.posts, h)
		for _, address := range l.addresses(h) {
			fmt.Fprintf(&links, `<p><a href="%s">There is more</a></p>`, address)
		}
	}
	l.public = l.wp.publish(t, fields{"slug": "public", "title": "Public", "content": publicMarker + links.String()})
}

// addresses are those by which a browser may ask for a post.
func (l *leaks) addresses(h hidden) []string {
	id := fmt.Sprint(h.ID)
	return []string{
		h.path + "/", h.path + "/?preview=true", h.path + "/?preview=true&preview_id=" + id + "&preview_nonce=0123456789",
		h.path + "__trashed/", "/?p=" + id, "/?p=" + id + "&preview=true", "/?page_id=" + id, "/?attachment_id=" + id,
		h.path + "/feed/", h.path + "/?password=" + guardedBy, h.path + "/embed/",
		"/by-id/" + id, "/unknown/" + id, "/by-id/" + id + "?context=edit&password=" + guardedBy,
	}
}

// signIn makes the editor's visitor, with real cookies.
func (l *leaks) signIn(t *testing.T) {
	t.Helper()
	l.editor = newVisitor(t)
	l.editor.get(t, l.themed.URL+"/wp-login.php")
	for _, form := range []url.Values{
		{"log": {editorName}, "pwd": {editorPassword}, "testcookie": {"1"}},
		{"post_password": {guardedBy}},
	} {
		address := l.themed.URL + "/wp-login.php"
		if form.Has("post_password") {
			address += "?action=postpass"
		}
		req := newRequest(t, http.MethodPost, address, form.Encode())
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Referer", l.themed.URL+"/")
		if a := l.editor.do(t, req); a.status != http.StatusFound {
			t.Fatalf("the editor cannot sign in: %.1000s", a)
		}
	}
}

// triggerAll names the posts in every way that senders have.
func (l *leaks) triggerAll(t *testing.T, s *site) {
	t.Helper()
	for _, h := range l.posts {
		now := h.item
		now.Link = l.themed.URL + h.path + "/"
		for _, c := range callers {
			send(t, c.request(t, s.URL, now, now))
		}
		s.trigger(t, url.Values{"path": {h.path, fmt.Sprintf("/by-id/%d", h.ID), "/", "/public", l.public.path(t)}})
		s.triggerItem(t, "post", h.ID)
		// Not what our plugin would say of it: that it is public.
		name, home := "wp", l.themed.URL
		if s == l.headless {
			name = "desk"
		}
		s.tell(t, name, fields{"source": "wordpress", "version": 1, "home": home + "/", "events": []fields{{
			"type": "post", "id": h.ID, "post_type": "post", "rest_base": "posts", "status": "publish", "old_status": "publish", "listed": true,
			"links": []string{now.Link}, "old_links": []string{home + h.path + "__trashed/"}, "archives": []string{home + "/"}, "author": 1,
		}}})
	}
}

// visit asks for everything, as strangers and as the editor, through nginx and
// at Rebake itself. Nobody but the editor may see a marker; and the editor only
// where nginx leads to WordPress.
func (l *leaks) visit(t *testing.T, s *site) {
	t.Helper()
	basic := newRequest(t, http.MethodGet, s.URL, "")
	basic.SetBasicAuth(editorName, l.wp.password)
	signedIn, _ := url.Parse(l.themed.URL)
	var cookies []string
	for _, c := range l.editor.client.Jar.Cookies(signedIn) {
		cookies = append(cookies, c.String())
	}
	everything := http.Header{
		"Cookie":                 append(cookies, "__prerender_bypass=0123456789", "__next_preview_data=0123456789"),
		"Authorization":          basic.Header["Authorization"],
		"X-Wp-Nonce":             {"0123456789"},
		"X-Prerender-Revalidate": {"0123456789"},
		"X-Original-Url":         {"/?p=1&preview=true"},
		"X-Forwarded-Host":       {"evil.example"},
	}
	visit := func(h hidden, at, address string, header http.Header) error {
		known := len(header) > 0 || strings.Contains(address, guardedBy)
		req, err := http.NewRequest(http.MethodGet, at+address, nil)
		if err != nil {
			return err
		}
		req.Header = header.Clone()
		a, err := stranger().try(req)
		if err == nil && (at != s.URL || !known) && strings.Contains(a.body, h.marker) {
			err = fmt.Errorf("%s%s shows the %s to who has %v: %.1500s", at, address, h.kind, header, a)
		}
		return err
	}
	var group sync.WaitGroup
	for _, h := range l.posts { // each with a visitor of its own
		group.Go(func() {
			for _, address := range l.addresses(h) {
				for _, header := range []http.Header{everything, {}} {
					for _, at := range []string{s.URL, "http://" + s.listen} {
						if err := visit(h, at, address, header); err != nil {
							t.Error(err)
						}
					}
				}
			}
		})
	}
	group.Wait()
}

// testEditor shows that what the visits bring along opens the posts: at
// WordPress, for the editor alone.
func (l *leaks) testEditor(t *testing.T) {
	for _, h := range l.posts {
		address := fmt.Sprintf("%s/?p=%d&preview=true", l.themed.URL, h.ID)
		switch h.kind {
		case "trash", "autosave": // opens with a nonce of its own
			continue
		case "private", "guarded":
			address = h.Link
		}
		if a := l.editor.get(t, address); a.status != 200 || !strings.Contains(a.body, h.marker) {
			t.Errorf("%s: the editor gets %.1000s", h.kind, a)
		}
	}
}

// testUpstream looks at all that Rebake has asked of WordPress.
func (l *leaks) testUpstream(t *testing.T) {
	fixed := []string{"Accept", "Accept-Encoding", "Cache-Control", "User-Agent", "X-Forwarded-Host", "X-Forwarded-Proto"}
	credentials := 0
	for _, r := range l.upstream.requests() {
		api := strings.HasPrefix(r.url.Path, "/wp-json/")
		if !api && r.url.RawQuery != "" || r.method != http.MethodGet && r.method != http.MethodHead {
			t.Errorf("it was asked %s", r)
		}
		for name, values := range r.header {
			switch {
			case slices.Contains(fixed, name):
			case api && name == "Authorization": // that of rebake.yaml
				credentials++
			default:
				t.Errorf("%s %s came with %s: %q", r.method, r.url, name, values)
			}
		}
		for _, word := range []string{guardedBy, "preview", "nonce", "0123456789", "password"} {
			if strings.Contains(r.String(), word) {
				t.Errorf("a request has %q in it: %s", word, r)
			}
		}
	}
	if credentials == 0 {
		t.Error("no request had the source's own credentials, so the search proves nothing")
	}
}

// testTakenBack makes public posts what they should have been.
func (l *leaks) testTakenBack(t *testing.T) {
	back := map[string]fields{
		"draft": {"status": "draft"}, "pending": {"status": "pending"}, "private": {"status": "private"}, "trash": nil,
		"future": {"status": "future", "date": "2099-01-01T00:00:00"}, "password": {"password": guardedBy},
	}
	was := map[string]item{}
	for kind := range back {
		was[kind] = l.wp.newPost(t, "was-public-"+kind, "taken-back-"+kind)
	}
	sites := []*site{l.themed, l.headless}
	for _, s := range sites {
		for kind, post := range was {
			s.trigger(t, url.Values{"path": {post.path(t), "/", "/public", fmt.Sprintf("/by-id/%d", post.ID)}})
			s.awaitFile(t, post.path(t), "taken-back-"+kind, 2*soon)
		}
		s.awaitCalm(t)
	}
	for kind, post := range was {
		if back[kind] == nil {
			l.wp.trash(t, "posts", post.ID)
		} else {
			l.wp.edit(t, "posts", post.ID, back[kind])
		}
		for _, s := range sites {
			s.triggerItem(t, "post", post.ID)
		}
	}
	for _, s := range sites {
		for kind := range back {
			text := "About taken-back-" + kind // the title of what has a password is everybody's
			if _, in := await(2*goneSoon, func() bool { return len(filesWith(t, s, text)) == 0 }); !in {
				t.Errorf("%s: the text is still in %v", kind, filesWith(t, s, text))
			}
		}
	}
}

func filesWith(t *testing.T, s *site, text string) (names []string) {
	t.Helper()
	for name, body := range s.published() {
		if strings.Contains(body, text) {
			names = append(names, name)
		}
	}
	return names
}

// search looks for the markers in all that is left of a site: pages with their
// sidecars, what Redis has written, the rest of the state, and the log.
func (l *leaks) search(t *testing.T, s *site) {
	t.Helper()
	found := map[string]string{"log": s.rebake.log.String(), "nginx": s.ErrorLog()}
	for _, part := range []string{"public", ".rebake"} {
		err := filepath.WalkDir(filepath.Join(s.dir, part), func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(name)
			if err == nil && filepath.Ext(name) == ".gz" {
				text, err = unzipped(text)
			}
			name, _ = filepath.Rel(s.dir, name)
			found[name] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	page := "public" + l.public.path(t) + "/index.html"
	controls := map[string]string{page: publicMarker, page + ".gz": publicMarker, "log": l.public.path(t), "Redis": l.public.path(t)}
	for place, text := range found {
		for _, h := range l.posts {
			if strings.Contains(text, h.marker) {
				t.Errorf("%s has the text of the %s", place, h.kind)
			}
		}
		if strings.HasPrefix(place, ".rebake/redis/") {
			place = "Redis"
		}
		if want, ok := controls[place]; ok && strings.Contains(text, want) {
			delete(controls, place)
		}
	}
	for place := range controls {
		t.Errorf("the control is not found in %s, so the search proves nothing", place)
	}
}

func unzipped(text []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
