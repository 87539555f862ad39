package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// waiting is what the plugin has not delivered.
func (p *plugged) waiting(t *testing.T) string {
	t.Helper()
	return p.php(t, `echo count( rebake_queue_rows() );`)
}

// due makes the next try due, and has WP-Cron run.
func (p *plugged) due(t *testing.T) {
	t.Helper()
	p.php(t, `if ( ! wp_next_scheduled( 'rebake_retry' ) ) { throw new Exception( 'no retry is planned' ); }
		wp_clear_scheduled_hook( 'rebake_retry' ); wp_schedule_single_event( time() - 1, 'rebake_retry' ); delete_transient( 'doing_cron' );`)
	get(t, p.home+"/wp-cron.php?doing_wp_cron")
}

func testPluginQueue(t *testing.T, p *plugged) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"revalidated":false}`, code) }
	}
	t.Run("what Rebake cannot take waits, merged, for WP-Cron", func(t *testing.T) {
		post := p.newPost(t, "a", "Waits")
		p.rebake.answers(status(http.StatusServiceUnavailable))
		p.edit(t, "posts", post.ID, fields{"slug": "b"})
		p.edit(t, "posts", post.ID, fields{"slug": "c"})
		p.rest(t, http.MethodDelete, fmt.Sprintf("/posts/%d?force=true", post.ID), nil, nil)
		p.due(t)
		if got := p.waiting(t); got != "3" {
			t.Errorf("%s requests wait, want 3", got)
		}

		p.rebake.answers(nil)
		events := p.tells(t, func() { p.due(t) })
		at := func(slug string) string { return strings.TrimSuffix(post.address(t), "/a") + "/" + slug + "/" }
		if len(events) != 1 || events[0].OldStatus != "publish" || events[0].Status != "deleted" || !events[0].Listed || len(events[0].Links) > 0 ||
			!cmp.Equal(events[0].OldLinks, []string{at("a"), at("b"), at("c")}) {
			t.Errorf("events %+v", events)
		}
		if got := p.waiting(t); got != "0" {
			t.Errorf("%s requests wait, want 0", got)
		}
		p.silent(t, func() { get(t, p.home+"/wp-cron.php?doing_wp_cron") })
	})
	t.Run("an edit brings what waits, when a try is due", func(t *testing.T) {
		p.rebake.answers(status(http.StatusInternalServerError))
		first := p.newPost(t, "waits", "Waits")
		p.rebake.answers(nil)
		p.php(t, `update_option( 'rebake_state', array( 'next' => time() ) + rebake_queue_state() );`)
		events := p.tells(t, func() {
			p.php(t, fmt.Sprintf(`wp_update_post( array( 'ID' => %d, 'post_title' => 'Waits no more' ) );`, first.ID))
		})
		if len(events) != 1 || events[0].OldStatus != "draft" || p.waiting(t) != "0" {
			t.Errorf("%s wait, events %+v", p.waiting(t), events)
		}
	})
	t.Run("while Rebake is away, only one editor waits for it", func(t *testing.T) {
		// After the fifth failure the next try is due in ten minutes, after the first
		// one in half a minute, which may not be enough for three posts.
		p.php(t, `update_option( 'rebake_state', array( 'failures' => 4 ) + rebake_queue_state() );`)
		asked := 0
		p.rebake.answers(func(w http.ResponseWriter, req *http.Request) { asked++; status(502)(w, req) })
		for i := range 3 {
			p.create(t, "posts", fields{"title": fmt.Sprint("Post ", i), "status": "publish"})
		}
		p.rebake.answers(nil)
		if asked != 1 {
			t.Errorf("it was asked %d times, want 1", asked)
		}
		if events := p.tells(t, func() { p.due(t) }); len(events) != 3 {
			t.Errorf("events %+v", events)
		}
	})
	t.Run("what Rebake never takes becomes one request for everything", func(t *testing.T) {
		n := 0
		p.rebake.answers(func(w http.ResponseWriter, req *http.Request) {
			if n++; n == 1 {
				status(http.StatusBadRequest)(w, req)
				return
			}
			fmt.Fprint(w, `{"revalidated":true}`)
		})
		p.newPost(t, "poison", "Poison")
		p.rebake.answers(nil)
		if n != 2 || p.waiting(t) != "0" {
			t.Errorf("%d requests, %s wait", n, p.waiting(t))
		}
	})
	t.Run("more than the queue holds becomes one request for everything", func(t *testing.T) {
		p.php(t, `foreach ( range( 1, 305 ) as $i ) { rebake_queue_add( array( array( 'type' => 'comment', 'id' => $i ) ) ); }`)
		events := p.tells(t, func() { p.php(t, `do_action( 'rebake_sweep' );`) })
		if diff := cmp.Diff([]told{{Type: "all"}}, events); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
