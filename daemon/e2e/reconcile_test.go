package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rebake/api"
)

// testReconcile edits a WordPress that tells nobody of it: every change is
// public all the same, after one poll.
func testReconcile(t *testing.T, server *server) {
	addr := freePort(t)
	s := newSite(t, fmt.Sprintf(`
origins:
  wp: {kind: wordpress, urls: ["http://%s"], reconcile: 10s}
routes:
  - {path: /, origin: wp}
  - {path: "/{rest...}", origin: wp}
`, addr), nil)
	w := server.newWordPress(t, "reconcile", addr, s.URL, "http://127.0.0.1:1")
	news := w.create(t, "categories", fields{"name": "News", "slug": "news"})
	edited, trashed, erased := w.newPost(t, "edited", "To be edited", news.ID), w.newPost(t, "trashed", "To be trashed"), w.newPost(t, "erased", "To be erased")
	w.newPost(t, "filed", "Stays filed", news.ID)
	s.run("build")
	s.serve()

	t.Run("a poll finds an edit by itself", func(t *testing.T) {
		awaitPoll(t, s) // which remembers what is there
		w.edit(t, "posts", edited.ID, fields{"title": "An edit that nobody told of"})
		for _, path := range []string{edited.path(t), "/category/news", "/"} {
			s.awaitFile(t, path, "An edit that nobody told of", 10*time.Second+soon)
		}
	})
	// A poll by itself would find the rest too, and the command waits for one that
	// runs no longer than 8 s.
	s.rebake.stop()
	config, err := os.ReadFile(filepath.Join(s.dir, "rebake.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("rebake.yaml", strings.Replace(string(config), "reconcile: 10s", "reconcile: off", 1))
	s.serve()
	t.Run("a new post", func(t *testing.T) {
		post := w.newPost(t, "untold", "Nobody told of this one", news.ID)
		s.reconcile(t)
		for _, path := range []string{post.path(t), "/category/news", "/"} {
			s.awaitFile(t, path, "Nobody told of this one", soon)
		}
	})
	t.Run("a post in the trash", func(t *testing.T) {
		w.trash(t, "posts", trashed.ID)
		s.reconcile(t)
		s.awaitNoFile(t, trashed.path(t))
		s.awaitWithout(t, "/", "To be trashed", soon)
	})
	t.Run("a post deleted for ever", func(t *testing.T) {
		w.rest(t, "DELETE", fmt.Sprintf("/posts/%d?force=true", erased.ID), nil, nil)
		s.reconcile(t)
		s.awaitNoFile(t, erased.path(t))
		s.awaitWithout(t, "/", "To be erased", soon)
	})
	t.Run("a post whose time has come", func(t *testing.T) {
		now := w.php(t, `
			$id = wp_insert_post( array( 'post_status' => 'future', 'post_title' => 'Its time has come', 'post_name' => 'scheduled', 'post_content' => 'x',
				'post_date_gmt' => gmdate( 'Y-m-d H:i:s', time() + 3600 ) ) );
			$wpdb->update( $wpdb->posts, array( 'post_date' => '2026-01-05 10:00:00', 'post_date_gmt' => '2026-01-05 10:00:00',
				'post_modified' => '2026-01-01 10:00:00', 'post_modified_gmt' => '2026-01-01 10:00:00' ), array( 'ID' => $id ) );
			clean_post_cache( $id );
			wp_publish_post( $id );
			echo get_post( $id )->post_status, ' ', get_post( $id )->post_modified_gmt;`)
		if now != "publish 2026-01-01 10:00:00" {
			t.Fatalf("it is %q now: WordPress is not as it was", now)
		}
		s.reconcile(t)
		s.awaitFile(t, "/2026/01/scheduled", "Its time has come", soon)
	})
	t.Run("a category with another name", func(t *testing.T) {
		w.edit(t, "categories", news.ID, fields{"name": "Tidings"})
		s.reconcile(t)
		s.awaitFile(t, "/category/news", "Tidings", soon)
	})
	t.Run("nothing has changed", func(t *testing.T) {
		s.reconcile(t)
		got := s.reconcile(t)
		if got.Count != 0 || got.Requests > 8 || got.Open || len(got.Notes) > 0 {
			t.Errorf("found %v in %d requests, and notes %q", got.Found, got.Requests, got.Notes)
		}
		if text := s.run("status"); !strings.Contains(text, "reconcile") || !strings.Contains(text, "wp: ") {
			t.Errorf("status does not tell of it:\n%s", text)
		}
	})
}

// awaitPoll waits until the only source was polled.
func awaitPoll(t *testing.T, s *site) {
	t.Helper()
	if _, ok := await(soon, func() bool {
		now := s.status()
		return len(now.Reconcile) == 1 && now.Reconcile[0].Error == ""
	}); !ok {
		t.Fatalf("no poll has ended:\n%s", s.run("status"))
	}
}

// reconcile runs the command of that name, and returns what it says of the only
// source.
func (s *site) reconcile(t *testing.T) (res api.ReconcileResult) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.run("reconcile", "--json")), &res); err != nil {
		t.Fatal(err)
	}
	return res
}

// awaitNoFile waits until a page is published no more.
func (s *site) awaitNoFile(t *testing.T, path string) {
	t.Helper()
	if _, in := await(2*soon, func() bool { return s.file(path) == "" }); !in {
		t.Errorf("%s is still published", path)
	}
}
