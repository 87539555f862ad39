package e2e

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testPlugin is what our own plugin tells of what happens in a WordPress.
func testPlugin(t *testing.T, server *server) {
	p := newPlugged(t, server, "plugin")
	t.Run("posts", func(t *testing.T) { testPluginPosts(t, p) })
	t.Run("pages", func(t *testing.T) { testPluginPages(t, p) })
	t.Run("what is not public", func(t *testing.T) { testPluginHidden(t, p) })
	t.Run("terms", func(t *testing.T) { testPluginTerms(t, p) })
	t.Run("comments", func(t *testing.T) { testPluginComments(t, p) })
	t.Run("the site", func(t *testing.T) { testPluginSite(t, p) })
	t.Run("menus", func(t *testing.T) { testPluginMenus(t, p) })
	t.Run("queue", func(t *testing.T) { testPluginQueue(t, p) })
	t.Run("faults", func(t *testing.T) { testPluginFaults(t, p) })
	t.Run("calls of others", func(t *testing.T) { testPluginCalls(t, p) })
	t.Run("admin", func(t *testing.T) { testPluginAdmin(t, p) })
	t.Run("browser", func(t *testing.T) { testPluginBrowser(t, p) })
	t.Run("uninstalled, it leaves nothing", func(t *testing.T) {
		p.php(t, `rebake_queue_add( array( array( 'type' => 'all' ) ) ); set_transient( 'rebake_test_1', array(), 60 ); uninstall_plugin( 'rebake/rebake.php' );`)
		if left := p.php(t, `echo implode( ' ', $wpdb->get_col( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%rebake\_%'" ) );`); left != "" {
			t.Errorf("options are left: %s", left)
		}
	})
	t.Run("PHP has nothing to say", func(t *testing.T) {
		if notes, err := os.ReadFile(p.notes); err == nil {
			t.Errorf("%s", notes)
		}
	})
}

// TestWordPressPlugin_EveryFileIsPHP reads what no test above may have run.
func TestWordPressPlugin_EveryFileIsPHP(t *testing.T) {
	need(t, "php")
	err := filepath.WalkDir(pluginFiles, func(name string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".php" {
			return err
		}
		out, err := exec.Command("php", "-d", "display_errors=1", "-d", "error_reporting=-1", "-l", name).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "No syntax errors") {
			t.Errorf("%s", out)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testPluginPosts(t *testing.T, p *plugged) {
	news := p.create(t, "categories", fields{"name": "News", "slug": "news"})
	local := p.create(t, "categories", fields{"name": "Local", "slug": "local", "parent": news.ID})
	category := func(i item) string { return fmt.Sprintf("category:%d", i.ID) }
	day := []string{"/", "/2026/", "/2026/01/", "/2026/01/02/", "/author/editor/"}

	var post item
	// want is the event of an edit that changes nothing but a text.
	want := told{
		Type: "post", PostType: "post", RESTBase: "posts", Status: "publish", OldStatus: "publish",
		Links: []string{"/2026/01/one/"}, OldLinks: []string{"/2026/01/one/"}, Author: 1, OldAuthor: 1,
		Archives: append(day, "/category/news/"), OldArchives: append(day, "/category/news/"),
		Terms: []string{category(news)}, OldTerms: []string{category(news)},
	}
	// check does something and compares the one event of it.
	check := func(t *testing.T, want told, do func()) {
		t.Helper()
		events := p.tells(t, do)
		want.ID = post.ID
		for i := range events {
			if (events[i].Modified == "") != (want.Status == "deleted") {
				t.Errorf("modified_gmt is %q", events[i].Modified)
			}
			events[i].Modified = ""
		}
		if diff := cmp.Diff([]told{want}, events, equalLists); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	edit := func(f fields) func() { return func() { p.edit(t, "posts", post.ID, f) } }

	t.Run("a new one", func(t *testing.T) {
		w := want
		w.OldStatus, w.OldLinks, w.OldArchives, w.OldTerms, w.Listed = "new", nil, nil, nil, true
		check(t, w, func() {
			post = p.create(t, "posts", fields{"slug": "one", "title": "One", "status": "publish", "date": "2026-01-02T10:00:00", "categories": []int{news.ID}})
		})
	})
	t.Run("its text", func(t *testing.T) { check(t, want, edit(fields{"content": "More."})) })
	t.Run("its text, from a program", func(t *testing.T) {
		check(t, want, func() {
			p.php(t, fmt.Sprintf(`wp_update_post( array( 'ID' => %d, 'post_content' => 'Other.' ) );`, post.ID))
		})
	})
	t.Run("its title", func(t *testing.T) {
		w := want
		w.Listed = true
		check(t, w, edit(fields{"title": "First"}))
	})
	t.Run("its picture", func(t *testing.T) {
		check(t, want, func() { p.php(t, fmt.Sprintf(`update_post_meta( %d, '_thumbnail_id', 99 );`, post.ID)) })
	})
	t.Run("its sticking to the front", func(t *testing.T) {
		w := want
		w.Listed = true
		check(t, w, edit(fields{"sticky": true}))
		check(t, w, func() { p.php(t, fmt.Sprintf(`unstick_post( %d );`, post.ID)) })
	})
	t.Run("its slug, with a move to a category below", func(t *testing.T) {
		w := want
		w.Links, w.Terms, w.Listed = []string{"/2026/01/first/"}, []string{category(local)}, true
		w.Archives = append(day, "/category/news/", "/category/news/local/")
		check(t, w, edit(fields{"slug": "first", "categories": []int{local.ID}}))

		back := w
		back.Links, back.OldLinks, back.Terms, back.OldTerms = w.OldLinks, w.Links, w.OldTerms, w.Terms
		back.Archives, back.OldArchives = w.OldArchives, w.Archives
		check(t, back, edit(fields{"slug": "one", "categories": []int{news.ID}}))
	})
	t.Run("its terms alone, from a program", func(t *testing.T) {
		w := want
		w.Terms, w.Listed = []string{category(local), category(news)}, true
		w.Archives = append(day, "/category/news/", "/category/news/local/")
		check(t, w, func() {
			p.php(t, fmt.Sprintf(`wp_set_post_categories( %d, array( %d, %d ) );`, post.ID, news.ID, local.ID))
		})
		w.Terms, w.OldTerms, w.Archives, w.OldArchives = w.OldTerms, w.Terms, w.OldArchives, w.Archives
		check(t, w, func() {
			p.php(t, fmt.Sprintf(`wp_remove_object_terms( %d, %d, 'category' );`, post.ID, local.ID))
		})
	})
	t.Run("a password for it", func(t *testing.T) {
		w := want
		w.Listed = true
		check(t, w, edit(fields{"password": "sesame"}))
		check(t, w, edit(fields{"password": ""}))
	})
	gone := want
	gone.Links, gone.Archives, gone.Terms, gone.Listed = nil, nil, nil, true
	again := want
	again.OldLinks, again.OldArchives, again.OldTerms, again.Listed = nil, nil, nil, true
	for _, status := range []string{"draft", "private", "pending"} {
		t.Run("its way to "+status+" and back", func(t *testing.T) {
			w := gone
			w.Status = status
			check(t, w, edit(fields{"status": status}))
			p.silent(t, edit(fields{"content": "Only for me."}))
			w = again
			w.OldStatus = status
			check(t, w, edit(fields{"status": "publish"}))
		})
	}
	t.Run("its way to the trash, and back", func(t *testing.T) {
		w := gone
		w.Status = "trash"
		check(t, w, func() { p.trash(t, "posts", post.ID) })
		p.silent(t, func() { p.php(t, fmt.Sprintf(`wp_untrash_post( %d );`, post.ID)) }) // as a draft
		w = again
		w.OldStatus = "draft"
		check(t, w, edit(fields{"status": "publish", "slug": "one"}))
	})
	t.Run("a scheduled one, when its time has come", func(t *testing.T) {
		var later item
		p.silent(t, func() {
			later = p.create(t, "posts", fields{"slug": "later", "title": "Later", "status": "future", "date": "2046-01-02T10:00:00", "categories": []int{news.ID}})
		})
		p.silent(t, func() {
			p.php(t, fmt.Sprintf(`$wpdb->update( $wpdb->posts, array( 'post_date' => '2025-01-02 10:00:00', 'post_date_gmt' => '2025-01-02 10:00:00' ), array( 'ID' => %[1]d ) );
				wp_clear_scheduled_hook( 'publish_future_post', array( %[1]d ) ); wp_schedule_single_event( time() - 1, 'publish_future_post', array( %[1]d ) );`, later.ID))
		})
		events := p.tells(t, func() { get(t, p.home+"/wp-cron.php?doing_wp_cron") })
		if len(events) != 1 || events[0].ID != later.ID || events[0].OldStatus != "future" || !cmp.Equal(events[0].Links, []string{"/2025/01/later/"}) || len(events[0].OldLinks) > 0 || !events[0].Listed {
			t.Errorf("events %+v", events)
		}
		// Its neighbour names it.
		if !strings.Contains(strings.Join(events[0].Archives, " "), "/2026/01/one/") {
			t.Errorf("archives %q", events[0].Archives)
		}
		p.rest(t, http.MethodDelete, fmt.Sprintf("/posts/%d?force=true", later.ID), nil, nil)
	})
	t.Run("two in one request", func(t *testing.T) {
		other := p.newPost(t, "other", "Other")
		events := p.tells(t, func() {
			p.php(t, fmt.Sprintf(`foreach ( array( %d, %d ) as $id ) { wp_update_post( array( 'ID' => $id, 'post_content' => 'Both.' ) ); }`, post.ID, other.ID))
		})
		if len(events) != 2 {
			t.Errorf("%d events, want 2", len(events))
		}
		p.rest(t, http.MethodDelete, fmt.Sprintf("/posts/%d?force=true", other.ID), nil, nil)
	})
	t.Run("its end without the trash", func(t *testing.T) {
		w := gone
		w.Status = "deleted"
		check(t, w, func() { p.rest(t, http.MethodDelete, fmt.Sprintf("/posts/%d?force=true", post.ID), nil, nil) })
	})
	t.Run("one of a type with an archive", func(t *testing.T) {
		events := p.tells(t, func() { p.create(t, "recipes", fields{"slug": "soup", "title": "Soup", "status": "publish"}) })
		want := []told{{
			Type: "post", ID: events[0].ID, PostType: "recipe", RESTBase: "recipes", Status: "publish", OldStatus: "new", Modified: events[0].Modified,
			Links: []string{"/recipe/soup/"}, Archives: []string{"/", "/cookbook/"}, Author: 1, OldAuthor: 1, Listed: true,
		}}
		if diff := cmp.Diff(want, events, equalLists); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
