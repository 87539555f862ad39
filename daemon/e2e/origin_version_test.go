package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pageCache keeps the first answer to each of some pages, and gives it to
// everybody while the file "on" is in its directory: as a cache that is purged
// late, in one of two machines. What it keeps besides the HTML, and what the
// pages say of themselves, depends on their slugs.
const pageCache = `<?php
$dir  = '%s';
$slug = basename( parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH ) );
add_filter( 'rebake_shown', function ( $shown ) use ( $slug ) {
	return 'silent' === $slug ? array() : $shown;
} );
if ( 'GET' !== $_SERVER['REQUEST_METHOD'] || ! in_array( $slug, array( 'whole', 'html-alone', 'silent', 'quiet', 'hushed' ), true ) ) {
	return;
}
if ( is_file( "$dir/on" ) ) {
	list( $headers, $html ) = unserialize( file_get_contents( "$dir/$slug" ) );
	array_map( 'header', 'html-alone' === $slug ? array( 'Content-Type: text/html; charset=UTF-8' ) : $headers );
	exit( $html );
}
ob_start( function ( $html ) use ( $dir, $slug ) {
	if ( ! is_file( "$dir/$slug" ) ) {
		file_put_contents( "$dir/$slug", serialize( array( headers_list(), $html ) ) );
	}
	return $html;
} );
`

// TestWordPress_OldPagesOfACache is about a cache in front of WordPress' theme
// that gives an older page than the public one after an edit.
func TestWordPress_OldPagesOfACache(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	addr := freePort(t)
	s := newSite(t, fmt.Sprintf(`
origins:
  wordpress: {kind: wordpress, urls: ["http://%s"], reconcile: off, webhook: {secret: %q}}
routes:
  - {path: /, origin: wordpress}
  - {path: "/{rest...}", origin: wordpress}
`, addr, hookSecret), nil)
	w := server.newWordPress(t, "cached", addr, s.URL, "http://127.0.0.1:1")
	kept := server.file("kept")
	if err := os.Mkdir(kept, 0o777); err != nil {
		t.Fatal(err)
	}
	w.install(t, fmt.Sprintf(pageCache, kept))
	w.php(t, `activate_plugin( 'rebake/rebake.php' );`)

	posts := map[string]item{}
	for _, slug := range []string{"whole", "html-alone", "silent"} {
		posts[slug] = w.newPost(t, slug, "Before of "+slug)
	}
	quiet := w.create(t, "categories", fields{"name": "Quiet", "slug": "quiet"})
	w.newPost(t, "in-quiet", "Is there already", quiet.ID)
	hushed := w.create(t, "categories", fields{"name": "Before of hushed", "slug": "hushed"})
	w.newPost(t, "in-hushed", "Is in a category that gets another name", hushed.ID)
	s.run("build")
	s.serve()
	w.php(t, fmt.Sprintf(`update_option( 'rebake_settings', array( 'url' => 'http://%s', 'secret' => '%s' ) );`, s.listen, hookSecret))
	limit := 2 * soon // WordPress is tried again after 1, 2, 4 and 8 s
	edit := func(which string) {
		for slug, post := range posts {
			w.edit(t, "posts", post.ID, fields{"title": which + " of " + slug})
		}
		w.edit(t, "categories", hushed.ID, fields{"name": which + " of hushed"}) // which leaves no date
	}
	edit("First edit")
	for slug, post := range posts {
		s.awaitFile(t, post.path(t), "First edit of "+slug, limit)
	}
	s.awaitFile(t, hushed.path(t), "First edit of hushed", limit)
	on := filepath.Join(kept, "on")
	if err := write(on, ""); err != nil {
		t.Fatal(err)
	}
	edit("Second edit")
	w.newPost(t, "new-in-quiet", "Is new", quiet.ID)

	silent := posts["silent"].path(t)
	if _, ok := await(limit, func() bool {
		return strings.Contains(s.file(silent), "<title>Before of silent") && s.explain(silent).Owed == nil
	}); !ok {
		t.Errorf("%s, which does not say what it shows, is not taken for fresh as the cache has it: %+v", silent, s.explain(silent))
	}
	late := map[string]string{"quiet": quiet.path(t), "hushed": hushed.path(t)}
	for _, slug := range []string{"whole", "html-alone"} {
		late[slug] = posts[slug].path(t)
	}
	for slug, path := range late {
		if _, ok := await(limit, func() bool {
			owed := s.explain(path).Owed
			return owed != nil && strings.Contains(owed.Error, "waits for the CMS")
		}); !ok {
			t.Errorf("%s does not wait for the cache: %+v", path, s.explain(path))
		}
		if file := s.file(path); strings.Contains(file, "<title>Before of "+slug) || strings.Contains(file, "rebake-items") {
			t.Errorf("%s is published as the cache has it", path)
		}
	}

	if err := os.Remove(on); err != nil {
		t.Fatal(err)
	}
	for slug, path := range late { // which are tried again after 1, 2 and 4 s
		text := "Second edit of " + slug
		if slug == "quiet" {
			text = "Is new"
		}
		s.awaitFile(t, path, text, limit)
	}
	t.Run("what is said", func(t *testing.T) { testShown(t, s, w, posts["whole"]) })
	s.renderNow(t, silent) // only a second look finds it
	s.awaitFile(t, silent, "Second edit of silent", limit)
}

// testShown is about who is told what a page shows. A query leads past the files.
func testShown(t *testing.T, s *site, w *wordPress, post item) {
	said := func(v *visitor, path string) string {
		t.Helper()
		a := v.get(t, s.URL+path+"?nothing")
		header := a.header.Get("Rebake-Items")
		if a.status != http.StatusOK || strings.Contains(a.body, `<meta name="rebake-items" content="@`) != (header != "" && !strings.HasSuffix(path, "feed/")) {
			t.Errorf("%s: header %q, and %.3000s", path, header, a)
		}
		return header
	}
	stranger, editor := newVisitor(t), w.signIn(t)
	name := fmt.Sprintf("post:%d@20", post.ID)
	for _, path := range []string{post.address(t) + "/", "/", "/feed/"} {
		if got := said(stranger, path); !strings.HasPrefix(got, "@20") || !strings.Contains(got, ", "+name) {
			t.Errorf("%s says %q, want %s…", path, got, name)
		}
		if got := said(editor, path); got != "" {
			t.Errorf("%s says %q to the editor", path, got)
		}
	}
	w.edit(t, "posts", post.ID, fields{"password": "sesame"})
	if got := said(stranger, post.address(t)+"/"); strings.Contains(got, "post:") {
		t.Errorf("a post with a password says %q", got)
	}
}
