package demo

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// rebake is a stand-in for /api/revalidate that remembers what it got.
type rebake struct {
	*httptest.Server
	status            int
	query, auth, body string
}

func startRebake(t *testing.T, status int) *rebake {
	t.Helper()
	r := &rebake{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		r.query, r.auth, r.body = req.URL.RawQuery, req.Header.Get("Authorization"), string(b)
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, `{"revalidated":true,"id":"7"}`)
	}))
	t.Cleanup(r.Close)
	return r
}

func startEditor(t *testing.T, rebakeURL string) (*CMS, *httptest.Server) {
	t.Helper()
	cms := NewCMS()
	editor, err := NewEditor(cms, &Notifier{URL: rebakeURL, Secret: "a secret nobody should see"}, "http://site.test")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(editor)
	t.Cleanup(server.Close)
	return cms, server
}

// post sends a form, follows the redirect, and returns the page that it leads to.
func post(t *testing.T, target string, f url.Values) (*http.Response, string) {
	t.Helper()
	res, err := http.PostForm(target, f)
	if err != nil {
		t.Fatal(err)
	}
	return res, read(t, res)
}

func get(t *testing.T, target string) string {
	t.Helper()
	res, err := http.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mustContain(t *testing.T, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q:\n%s", want, page)
		}
	}
}

func TestEditor_Save(t *testing.T) {
	values := url.Values{
		"title": {"Rye, again"}, "text": {"One <b>bold</b> claim.\r\n\r\nTwo."}, "category": {"3"}, "slug": {"rye-that-keeps"},
	}

	t.Run("stores plain paragraphs", func(t *testing.T) {
		cms, server := startEditor(t, startRebake(t, 200).URL)
		post(t, server.URL+"/edit/3", values)
		p, err := cms.Post(3)
		if want := "<p>One &lt;b&gt;bold&lt;/b&gt; claim.</p>\n<p>Two.</p>\n"; err != nil || p.Content != want {
			t.Errorf("content %q, %v, want %q", p.Content, err, want)
		}
	})

	t.Run("sends the trigger as a plugin does", func(t *testing.T) {
		rebake := startRebake(t, 200)
		_, server := startEditor(t, rebake.URL)
		post(t, server.URL+"/edit/3", values)
		got := fmt.Sprint(rebake.query, " ", rebake.auth, " ", rebake.body)
		want := `wait=5s Bearer a secret nobody should see ` +
			`{"paths":["/blog/rye-that-keeps","/","/feed.xml","/category/breads","/category/bakehouse"]}`
		if got != want {
			t.Errorf("sent %s\nwant %s", got, want)
		}
	})

	t.Run("shows request and answer without the secret", func(t *testing.T) {
		_, server := startEditor(t, startRebake(t, 200).URL)
		_, page := post(t, server.URL+"/edit/3", values)
		mustContain(t, page, "Public after", "POST /?wait=5s", "&lt;secret&gt;", "&#34;id&#34;: &#34;7&#34;",
			`href="http://site.test/category/bakehouse"`)
		if strings.Contains(page, "nobody should see") {
			t.Error("page shows the secret")
		}
	})

	t.Run("says when Rebake refuses", func(t *testing.T) {
		_, server := startEditor(t, startRebake(t, 500).URL)
		_, page := post(t, server.URL+"/edit/3", values)
		mustContain(t, page, "Rebake answered <b>500</b>")
	})

	t.Run("says when Rebake is away", func(t *testing.T) {
		rebake := startRebake(t, 200)
		rebake.Close()
		_, server := startEditor(t, rebake.URL)
		_, page := post(t, server.URL+"/edit/3", values)
		mustContain(t, page, "Rebake was not reached")
	})

	t.Run("shows an invalid form again", func(t *testing.T) {
		_, server := startEditor(t, startRebake(t, 200).URL)
		res, page := post(t, server.URL+"/edit/3", url.Values{"title": {""}, "text": {"Keep me"}, "category": {"1"}})
		if res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("status %s", res.Status)
		}
		mustContain(t, page, "Not saved: the title is empty.", "Keep me")
	})
}

func TestEditor_NewAndDelete(t *testing.T) {
	cms, server := startEditor(t, startRebake(t, 200).URL)
	_, page := post(t, server.URL+"/new", url.Values{"title": {"Fresh"}, "text": {"x"}, "category": {"2"}, "slug": {""}})
	mustContain(t, page, "Public after", "/blog/fresh")
	_, page = post(t, server.URL+"/delete/9", nil)
	mustContain(t, page, "Public after", "/blog/fresh")
	if n := len(cms.Posts()); n != 8 {
		t.Errorf("%d posts, want 8", n)
	}
}

func TestEditor_EscapesHostileTitles(t *testing.T) {
	cms, server := startEditor(t, startRebake(t, 200).URL)
	const hostile = `"><script>alert(1)</script></textarea>`
	content := paragraphsHTML(hostile)
	if _, _, err := cms.Update(3, Edit{Title: new(hostile), Content: &content}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/edit/3"} {
		page := get(t, server.URL+path)
		if strings.Contains(page, "<script>") || strings.Count(page, "</textarea>") > 1 {
			t.Errorf("%s lets the title out:\n%s", path, page)
		}
	}
}

func TestEditor_RefusesOtherSites(t *testing.T) {
	for _, target := range []string{"/edit/3", "/new", "/delete/3", apiRoot + "/posts/3"} {
		cms, server := startEditor(t, startRebake(t, 200).URL)
		req, err := http.NewRequest("POST", server.URL+target, strings.NewReader("title=hacked&category=1"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if p, err := cms.Post(3); res.StatusCode != http.StatusForbidden || err != nil || p.Title == "hacked" {
			t.Errorf("%s: %s, post %v", target, res.Status, err)
		}
	}
}
