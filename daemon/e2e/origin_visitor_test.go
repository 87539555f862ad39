package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// testVisitors does what visitors and editors of a WordPress do, and what no
// file can answer.
func (s originSite) testVisitors(t *testing.T, draft, guarded item) {
	t.Run("searches", func(t *testing.T) {
		post := s.wp.newPost(t, "needle", "A needle")
		if a := get(t, s.URL+"/?s=needle"); a.status != 200 || !strings.Contains(a.body, post.Link) {
			t.Errorf("%.2000s", a)
		}
	})

	t.Run("comments", s.testComment)
	t.Run("enters a post's password", func(t *testing.T) { s.testPassword(t, guarded) })
	t.Run("signs in", func(t *testing.T) { s.testSignedIn(t, draft) })

	t.Run("reads the feed", func(t *testing.T) {
		a := get(t, s.URL+"/feed/")
		if a.status != 200 || !strings.Contains(a.header.Get("Content-Type"), "application/rss+xml") || !strings.Contains(a.body, "<rss") {
			t.Errorf("%.2000s", a)
		}
	})

	t.Run("reads the sitemap, as a search engine", func(t *testing.T) {
		a := get(t, s.URL+"/wp-sitemap.xml")
		part := s.URL + "/wp-sitemap-posts-post-1.xml"
		if a.status != 200 || !strings.Contains(a.body, part) || !strings.Contains(a.header.Get("Content-Type"), "/xml") {
			t.Errorf("%.2000s", a)
		}
		if a := get(t, part); a.status != 200 || !strings.Contains(a.body, s.first.Link) {
			t.Errorf("%.2000s", a)
		}
		if a := get(t, s.URL+"/robots.txt"); a.status != 200 || !strings.Contains(a.body, "wp-sitemap.xml") {
			t.Errorf("%.2000s", a)
		}
	})

	t.Run("sees styles, scripts and images", s.testAssets)
}

// testComment sends the form below a post.
func (s originSite) testComment(t *testing.T) {
	v := newVisitor(t)
	page := v.get(t, s.first.Link)
	if action := s.URL + "/wp-comments-post.php"; !strings.Contains(page.body, `action="`+action+`"`) {
		t.Fatalf("no form for %s in %.2000s", action, page)
	}
	a := v.post(t, s.URL+"/wp-comments-post.php", url.Values{
		"comment_post_ID": {fmt.Sprint(s.first.ID)}, "comment_parent": {"0"}, "comment": {"Well said."},
		"author": {"A Reader"}, "email": {"reader@example.com"}, "wp-comment-cookies-consent": {"yes"},
	})
	to := a.header.Get("Location")
	if a.status != http.StatusFound || !strings.HasPrefix(to, s.first.Link) {
		t.Fatalf("want a redirect to the post, got %.2000s", a)
	}
	var held []item
	s.wp.rest(t, http.MethodGet, "/comments?status=hold&context=edit", nil, &held)
	if len(held) != 1 || !strings.Contains(held[0].Content.Rendered, "Well said.") {
		t.Fatalf("WordPress has these comments: %v", held)
	}
	for _, address := range []string{to, s.first.Link} { // by the query, and then by the cookie
		if a := v.get(t, address); !strings.Contains(a.body, "Well said.") || !strings.Contains(a.body, "awaiting moderation") {
			t.Errorf("the reader does not see the comment at %s: %.2000s", address, a)
		}
	}
	if a := get(t, s.first.Link); strings.Contains(a.body, "Well said.") {
		t.Error("others see the comment before it is approved")
	}
	s.wp.edit(t, "comments", held[0].ID, fields{"status": "approved"})
	s.triggerItem(t, "post", s.first.ID)
	s.awaitFile(t, s.first.path(t), "Well said.", soon)
}

// testPassword reads a post that has one.
func (s originSite) testPassword(t *testing.T, guarded item) {
	v := newVisitor(t)
	if a := v.get(t, guarded.Link); a.status != 200 || !strings.Contains(a.body, "post_password") {
		t.Fatalf("no form: %.2000s", a)
	}
	req := newRequest(t, http.MethodPost, s.URL+"/wp-login.php?action=postpass", url.Values{"post_password": {"sesame"}}.Encode())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Referer", guarded.Link)
	if a := v.do(t, req); a.status != http.StatusFound {
		t.Fatalf("%.2000s", a)
	}
	if a := v.get(t, guarded.Link); !strings.Contains(a.body, "For friends.") {
		t.Errorf("who knows the password does not see the post: %.2000s", a)
	}
	if a := get(t, guarded.Link); strings.Contains(a.body, "For friends.") {
		t.Error("who does not know the password sees the post")
	}
}

// adminBar is in the pages that WordPress makes for who has signed in.
const adminBar = `id="wpadminbar"`

// testSignedIn goes through the login form, and looks at public pages and at a
// preview.
func (s originSite) testSignedIn(t *testing.T, draft item) {
	editor := newVisitor(t)
	if a := editor.get(t, s.URL+"/wp-login.php"); a.status != 200 || !strings.Contains(a.body, `id="loginform"`) {
		t.Fatalf("no form: %.2000s", a)
	}
	a := editor.post(t, s.URL+"/wp-login.php", url.Values{"log": {editorName}, "pwd": {editorPassword}, "testcookie": {"1"}, "redirect_to": {s.URL + "/wp-admin/"}})
	if a.status != http.StatusFound || a.header.Get("Location") != s.URL+"/wp-admin/" {
		t.Fatalf("the login is refused: %.2000s", a)
	}
	if a := editor.get(t, s.URL+"/wp-admin/"); a.status != 200 || !strings.Contains(a.body, "Dashboard") {
		t.Errorf("wp-admin: %.2000s", a)
	}
	for _, path := range []string{"/", s.first.path(t) + "/"} {
		if a := editor.get(t, s.URL+path); a.status != 200 || !strings.Contains(a.body, adminBar) {
			t.Errorf("the editor has no admin bar at %s: %.2000s", path, a)
		}
		if a := get(t, s.URL+path); strings.Contains(a.body, adminBar) {
			t.Errorf("everybody has an admin bar at %s", path)
		}
	}
	preview := fmt.Sprintf("%s/?p=%d&preview=true", s.URL, draft.ID)
	if a := editor.get(t, preview); a.status != 200 || !strings.Contains(a.body, "Nobody may see this.") {
		t.Errorf("the editor's preview: %.2000s", a)
	}
	if a := get(t, preview); strings.Contains(a.body, "Nobody may see this.") {
		t.Errorf("everybody's preview: %.2000s", a)
	}
	s.triggerItem(t, "post", draft.ID)
	for name, text := range s.published() {
		if strings.Contains(text, "Nobody may see this.") || strings.Contains(text, adminBar) {
			t.Errorf("%s holds what only editors may see", name)
		}
	}
}

// testAssets asks for whatever a page needs to be shown.
func (s originSite) testAssets(t *testing.T) {
	image, err := base64.StdEncoding.DecodeString("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
	if err != nil {
		t.Fatal(err)
	}
	req := newRequest(t, http.MethodPost, s.URL+"/wp-json/wp/v2/media", string(image))
	req.Header.Set("Content-Type", "image/gif")
	req.Header.Set("Content-Disposition", `attachment; filename="dot.gif"`)
	req.SetBasicAuth(editorName, s.wp.password)
	a := newVisitor(t).do(t, req)
	uploaded := regexp.MustCompile(`"source_url":"([^"]+)"`).FindStringSubmatch(a.body)
	if a.status != http.StatusCreated || uploaded == nil {
		t.Fatalf("upload: %.2000s", a)
	}
	address := strings.ReplaceAll(uploaded[1], `\/`, "/")
	s.wp.edit(t, "posts", s.first.ID, fields{"content": fmt.Sprintf(`<img src="%s" alt="A dot">`, address)})
	s.triggerItem(t, "post", s.first.ID)
	s.awaitFile(t, s.first.path(t), address, soon)

	if a := get(t, address); a.status != 200 || a.header.Get("Content-Type") != "image/gif" || a.body != string(image) {
		t.Errorf("the image: %.200s", a)
	}
	page := get(t, s.first.Link)
	assets := regexp.MustCompile(`(?:href|src)=['"]([^'"]+\.(?:css|js)\?[^'"]+)['"]`).FindAllStringSubmatch(page.body, -1)
	if len(assets) == 0 {
		t.Errorf("the page names no styles and no scripts: %.2000s", page)
	}
	for _, m := range assets {
		address := strings.ReplaceAll(m[1], "&#038;", "&")
		want := "text/css"
		if strings.Contains(address, ".js?") {
			want = "javascript"
		}
		if a := get(t, address); a.status != 200 || !strings.Contains(a.header.Get("Content-Type"), want) || a.body == "" {
			t.Errorf("%s: %.300s", address, a)
		}
	}
}
