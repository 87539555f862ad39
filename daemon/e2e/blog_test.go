package e2e

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// blog is a WordPress as somebody has it who installs Rebake and its plugin:
// its own theme, pages below pages, categories below categories, enough posts
// for a second page of lists. Rebake's oracle is WordPress itself.
type blog struct {
	*site
	wp    *wordPress
	token string // of admin

	known map[string]bool // the paths of all that ever was a page
}

// newBlog starts it all. hook is where the plugin sends its requests; empty is
// Rebake itself. more are keys of the origin.
func newBlog(t *testing.T, server *server, database, hook, more string) *blog {
	t.Helper()
	addr := freePort(t)
	b := &blog{known: map[string]bool{}}
	b.site = newSite(t, fmt.Sprintf(`
origins:
  wordpress: {kind: wordpress, urls: [%q], webhook: {secret: %q}%s}
routes:
  - {path: /, origin: wordpress}
  - {path: "/{rest...}", origin: wordpress}
`, "http://"+addr, hookSecret, more), nil)
	plugin := server.file("site/wp-content/plugins/rebake")
	if !exists(plugin) {
		run(t, nil, "cp", "-r", pluginFiles, plugin)
	}
	b.wp = server.newWordPress(t, database, addr, b.URL, "http://127.0.0.1:1")
	if hook == "" {
		hook = "http://" + b.listen
	}
	b.wp.php(t, blogContent)
	b.run("build")
	b.serve()
	b.token = b.adminToken()
	b.wp.php(t, fmt.Sprintf(`update_option( 'rebake_settings', array( 'url' => '%s', 'secret' => '%s' ) ); activate_plugin( 'rebake/rebake.php' );`, hook, hookSecret))
	b.awaitCalm(t)
	b.mustEqualWordPress(t, "at first")
	return b
}

// blogContent is there before Rebake is. No two posts have one date, or their
// order would be anybody's guess.
const blogContent = `
	$ana = wp_insert_user( array( 'user_login' => 'ana', 'user_pass' => 'x', 'user_email' => 'ana@example.com', 'display_name' => 'Ana', 'role' => 'author' ) );
	$terms = array();
	foreach ( array( 'News' => 0, 'Local' => 'News', 'World' => 'News', 'Quiet' => 0 ) as $name => $above ) {
		$made           = wp_insert_term( $name, 'category', array( 'parent' => $above ? $terms[ $above ] : 0 ) );
		$terms[ $name ] = $made['term_id'];
	}
	for ( $i = 1; $i <= 14; $i++ ) {
		wp_publish_post( wp_insert_post( array( // a draft first, as in the editor
			'post_name' => "post-$i", 'post_title' => "Post $i", 'post_content' => "What post $i says.",
			'post_date' => sprintf( '2026-%02d-10 10:00:%02d', $i > 7 ? 10 : 9, $i ), 'post_author' => $i % 5 ? 1 : $ana,
			'post_category' => array( $terms[ $i % 4 ? 'World' : 'Quiet' ] ), 'comment_status' => 'open',
		) ) );
	}
	$parent = 0;
	foreach ( array( 'about' => 'About', 'team' => 'Team', 'ana' => 'Who Ana is' ) as $slug => $title ) {
		$parent = wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => $slug, 'post_title' => $title, 'post_content' => "Of $title.", 'post_parent' => $parent ) );
	}
	wp_insert_post( array( 'post_type' => 'wp_navigation', 'post_status' => 'publish', 'post_title' => 'Menu', 'post_name' => 'menu',
		'post_content' => '<!-- wp:navigation-link {"label":"About","url":"/about/"} /-->' ) );
	foreach ( array( 'red', 'blue' ) as $name ) {
		$file = wp_upload_bits( "$name.gif", null, base64_decode( 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7' ) );
		wp_insert_attachment( array( 'post_title' => $name, 'post_mime_type' => 'image/gif', 'post_status' => 'inherit' ), $file['file'] );
	}
	set_post_thumbnail( get_page_by_path( 'post-6', OBJECT, 'post' )->ID, get_page_by_path( 'red', OBJECT, 'attachment' )->ID );
`

// find returns a post, a page or a term by its slug.
func (b *blog) find(t *testing.T, collection, slug string) item {
	t.Helper()
	var list []item
	b.wp.rest(t, http.MethodGet, "/"+collection+"?slug="+slug, nil, &list)
	if len(list) != 1 {
		t.Fatalf("%s %s: %d are found", collection, slug, len(list))
	}
	return list[0]
}

// pages are the paths of what is published.
func (b *blog) pages(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for name, text := range b.published() {
		p := "/" + name
		if base := path.Base(p); base == "index.html" || base == "index.xml" {
			p = path.Dir(p)
		}
		pages[p] = text
		b.known[p] = true
	}
	return pages
}

// mustEqualWordPress waits until every page is what WordPress makes of it now,
// and no page is what WordPress has not.
func (b *blog) mustEqualWordPress(t *testing.T, when string) {
	t.Helper()
	var wrong []string
	if _, equal := await(2*soon, func() bool {
		b.awaitCalm(t)
		wrong = b.unlikeWordPress(t)
		return len(wrong) == 0
	}); !equal {
		t.Errorf("%s: unlike WordPress:\n%s", when, strings.Join(wrong, "\n"))
	}
}

// unlikeWordPress asks WordPress for all pages that there are or were.
func (b *blog) unlikeWordPress(t *testing.T) (wrong []string) {
	t.Helper()
	pages := b.pages(t)
	var mu sync.Mutex
	var group sync.WaitGroup
	slots := make(chan struct{}, 3) // it has four processes
	for p := range b.known {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			want, err := b.ofWordPress(p)
			mu.Lock()
			defer mu.Unlock()
			switch got := pages[p]; {
			case err != nil:
				wrong = append(wrong, fmt.Sprintf("%s: %v", p, err))
			case lasting(got) != lasting(want):
				wrong = append(wrong, fmt.Sprintf("%s: %s", p, difference(lasting(got), lasting(want))))
			}
		})
	}
	group.Wait()
	slices.Sort(wrong)
	return wrong
}

// ofWordPress is a page as WordPress gives it to a stranger, "" when it has
// none. It believes to be at the site's address, so that there is nothing to
// rewrite in it.
func (b *blog) ofWordPress(p string) (string, error) {
	u := url.URL{Path: p}
	if p != "/" {
		u.Path += "/"
	}
	req, err := http.NewRequest(http.MethodGet, b.wp.origin+u.EscapedPath(), nil)
	if err != nil {
		return "", err
	}
	req.Host = strings.TrimPrefix(b.URL, "http://")
	a, err := stranger().try(req)
	if err != nil || a.status == http.StatusNotFound || a.status == http.StatusMovedPermanently {
		return "", err
	}
	if a.status != http.StatusOK {
		return "", fmt.Errorf("WordPress answers %d", a.status)
	}
	return a.body, nil
}

// lasting is a page without what in it is of another time: feeds say when
// anything at all in WordPress was last changed, and pages when they were made,
// which is not published.
func lasting(page string) string { return momentary.ReplaceAllString(page, "") }

var momentary = regexp.MustCompile(`<lastBuildDate>[^<]*</lastBuildDate>|<meta name="rebake-items"[^>]*>\n`)

// difference shows the first place where two texts differ.
func difference(got, want string) string {
	switch {
	case got == "":
		return "there is no file"
	case want == "":
		return "the file is still there"
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	show := func(s string) string { return fmt.Sprintf("%q", s[max(0, min(at, len(s))-60):min(at+100, len(s))]) }
	return fmt.Sprintf("has %s, WordPress has %s", show(got), show(want))
}

// file is one file of the output, as a file system knows it.
type outputFile struct {
	info fs.FileInfo
	text string
}

// files are all files of the output, sidecars too.
func (b *blog) files(t *testing.T) map[string]outputFile {
	t.Helper()
	files := map[string]outputFile{}
	root := filepath.Join(b.dir, "public")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		files[strings.TrimPrefix(name, root)] = outputFile{info, string(text)}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// identity is another one for a file that was replaced.
func identity(info fs.FileInfo) string {
	inode := uint64(0)
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = s.Ino
	}
	return fmt.Sprintf("%d at %d", inode, info.ModTime().UnixNano())
}

// watch looks at the output all the time, until stop, which returns when a file
// last came, went or was replaced.
func (b *blog) watch() (stop func() time.Time) {
	last, seen := time.Time{}, map[string]string{}
	look := func() {
		now := map[string]string{}
		_ = filepath.WalkDir(filepath.Join(b.dir, "public"), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil // it went meanwhile
			}
			if info, err := d.Info(); err == nil {
				now[name] = identity(info)
			}
			return nil
		})
		if len(seen) > 0 && !maps.Equal(seen, now) {
			last = time.Now()
		}
		seen = now
	}
	look()
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				look()
			}
		}
	}()
	return func() time.Time {
		close(end)
		<-ended
		look()
		return last
	}
}
