package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// item is what the REST API says of a post, a page, a term or a comment.
type item struct {
	ID      int    `json:"id"`
	Slug    string `json:"slug"`
	Link    string `json:"link"`
	Status  string `json:"status"`
	Content struct {
		Rendered string `json:"rendered"`
	} `json:"content"`
}

// address is the path of the item's own address, in the form for URLs that
// WordPress gives it, less the slash at its end.
func (i item) address(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(i.Link)
	if err != nil || !strings.HasSuffix(u.Path, "/") || u.RawQuery != "" {
		t.Fatalf("link %q: not a pretty one (%v)", i.Link, err)
	}
	return strings.TrimSuffix(u.EscapedPath(), "/")
}

// path is the path of the item's page.
func (i item) path(t *testing.T) string {
	t.Helper()
	path, err := url.PathUnescape(i.address(t))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// file is the file of the item's page in the output.
func (i item) file(t *testing.T) string { return strings.TrimPrefix(i.path(t), "/") + "/index.html" }

// rest asks the REST API as the editor, below /wp-json/wp/v2, and reads the
// answer into to.
func (w *wordPress) rest(t *testing.T, method, path string, fields, to any) {
	t.Helper()
	if err := w.ask(method, path, fields, to); err != nil {
		t.Fatal(err)
	}
}

// ask is rest where there is no test to end.
func (w *wordPress) ask(method, path string, fields, to any) error {
	body := ""
	if fields != nil {
		b, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		body = string(b)
	}
	req, err := http.NewRequest(method, w.home+"/wp-json/wp/v2"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(editorName, w.password)
	a, err := stranger().try(req)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK && a.status != http.StatusCreated {
		return fmt.Errorf("%s %s: %.2000s", method, path, a)
	}
	if to != nil {
		if err := json.Unmarshal([]byte(a.body), to); err != nil {
			return fmt.Errorf("%s %s: %w in %.2000s", method, path, err, a.body)
		}
	}
	return nil
}

// fields are those of an item that is made or changed.
type fields map[string]any

// create makes an item of a collection: "posts", "pages", "categories".
func (w *wordPress) create(t *testing.T, collection string, f fields) (made item) {
	t.Helper()
	w.rest(t, http.MethodPost, "/"+collection, f, &made)
	return made
}

// publish makes a post as the editor does: it is a draft first, by whose
// address feeds name it for ever.
func (w *wordPress) publish(t *testing.T, f fields) item {
	t.Helper()
	return w.edit(t, "posts", w.create(t, "posts", f).ID, fields{"status": "publish"})
}

// newPost makes a public post.
func (w *wordPress) newPost(t *testing.T, slug, title string, categories ...int) item {
	t.Helper()
	f := fields{"slug": slug, "title": title, "content": "About " + title + "."}
	if len(categories) > 0 {
		f["categories"] = categories
	}
	return w.publish(t, f)
}

// edit changes an item.
func (w *wordPress) edit(t *testing.T, collection string, id int, f fields) (now item) {
	t.Helper()
	w.rest(t, http.MethodPost, fmt.Sprintf("/%s/%d", collection, id), f, &now)
	return now
}

// trash puts an item into the trash.
func (w *wordPress) trash(t *testing.T, collection string, id int) {
	t.Helper()
	w.rest(t, http.MethodDelete, fmt.Sprintf("/%s/%d", collection, id), nil, nil)
}
