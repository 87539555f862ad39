package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testPluginFaults is what becomes of an edit when something around the plugin
// breaks: the database, memory, and the code of others.
func testPluginFaults(t *testing.T, p *plugged) {
	all := []told{{Type: "all"}}
	post := p.newPost(t, "faults", "Faults")
	save := fmt.Sprintf(`wp_update_post( array( 'ID' => %d, 'post_content' => microtime() ) );`, post.ID)
	// isPost says of events that the edit is among them.
	isPost := func(t *testing.T, events []told) {
		t.Helper()
		if len(events) != 1 || events[0].Type != "post" || events[0].ID != post.ID {
			t.Errorf("events %+v, want the post", events)
		}
	}
	nothingWaits := func(t *testing.T) {
		t.Helper()
		if got := p.waiting(t); got != "0" {
			t.Errorf("%s requests wait, want 0", got)
		}
	}

	// Twelve batches of an import, each of 500 posts. PHP needs many times what
	// the database does.
	const batches = `foreach ( range( 1, 12 ) as $row ) {
			$events = array();
			foreach ( range( 1, 500 ) as $i ) {
				$links    = array_map( 'strval', range( "$row$i", "$row$i" + 40 ) );
				$events[] = array( 'type' => 'post', 'id' => (int) "$row$i", 'links' => $links, 'old_links' => $links, 'archives' => $links );
			}
			$wpdb->insert( $wpdb->options, array( 'option_name' => sprintf( 'rebake_pending_1700000000.%06d_abcdefgh', $row ), 'option_value' => wp_json_encode( $events ), 'autoload' => 'no' ) );
		}`
	// refuse is a database that takes no rows of the queue that are longer than some bytes.
	refuse := func(bytes int) string {
		return fmt.Sprintf(`add_filter( 'query', function ( $sql ) { return 0 === strpos( $sql, 'INSERT' ) && strpos( $sql, 'rebake_pending_' ) && strlen( $sql ) > %d ? 'SELECT refused' : $sql; } );`, bytes)
	}

	t.Run("a queue that does not fit into memory becomes one request for everything", func(t *testing.T) {
		p.php(t, batches)
		events := p.tells(t, func() { p.php(t, `ini_set( 'memory_limit', '24M' ); do_action( 'rebake_retry' );`) })
		if diff := cmp.Diff(all, events); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		nothingWaits(t)
	})
	t.Run("an edit while the queue is too large is told with everything", func(t *testing.T) {
		p.php(t, batches)
		events := p.tells(t, func() { p.php(t, `ini_set( 'memory_limit', '24M' ); `+save) })
		if len(events) != 2 || events[0].Type != "all" || events[1].ID != post.ID {
			t.Errorf("events %+v, want all and the post", events)
		}
		nothingWaits(t)
	})
	t.Run("a queue that is too large is kept when what stands for it cannot be written", func(t *testing.T) {
		p.php(t, batches)
		p.rebake.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		p.php(t, refuse(0)+`do_action( 'rebake_retry' );`)
		if got := p.php(t, `echo $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE 'rebake\_pending\_%'" );`); got != "12" {
			t.Errorf("%s rows are left, want 12", got)
		}
		p.rebake.answers(nil)
		if diff := cmp.Diff(all, p.tells(t, func() { p.due(t) })); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		nothingWaits(t)
	})
	t.Run("an edit that the database does not keep is told", func(t *testing.T) {
		isPost(t, p.tells(t, func() { p.php(t, refuse(0)+save) }))
	})
	t.Run("an edit that is too long for the database is told", func(t *testing.T) {
		isPost(t, p.tells(t, func() { p.php(t, refuse(300)+save) }))
		nothingWaits(t)
	})
	t.Run("an edit that is too long for the database waits as one for everything", func(t *testing.T) {
		p.rebake.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		p.php(t, refuse(300)+save)
		p.rebake.answers(nil)
		if diff := cmp.Diff(all, p.tells(t, func() { p.due(t) })); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	const throws = `add_filter( 'year_link', function () { throw new Exception( 'of another plugin' ); } ); `
	t.Run("code of others that throws takes no edit with it", func(t *testing.T) {
		events := p.tells(t, func() {
			p.php(t, save+`update_option( 'blogname', microtime() ); `+throws)
		})
		if diff := cmp.Diff([]told{{Type: "all"}, {Type: "site", What: "option:blogname"}}, events); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("code of others that throws while we look does not end the edit", func(t *testing.T) {
		said := ""
		events := p.tells(t, func() { said = p.php(t, throws+save+` echo 'saved';`) })
		if said != "saved" || !cmp.Equal(events, all) {
			t.Errorf("it is %q, events %+v", said, events)
		}
	})
	t.Run("an edit before PHP is out of memory is told", func(t *testing.T) {
		isPost(t, p.tells(t, func() {
			p.php(t, `ini_set( 'memory_limit', '48M' ); `+save+` for ( $i = 0; true; $i++ ) { $GLOBALS['more'][ $i % 997 ][] = str_repeat( 'x', $i * 37 % 3000 ); }`)
		}))
	})
	t.Run("an edit when the request has ended is told", func(t *testing.T) {
		isPost(t, p.tells(t, func() { p.php(t, `register_shutdown_function( function () { `+save+` } );`) }))
	})
	t.Run("an edit for which other sites of a network leave no time waits for WP-Cron", func(t *testing.T) {
		p.silent(t, func() {
			p.php(t, save+`foreach ( Rebake_Changes::take() as $changes ) { rebake_deliver_one( $changes, true, true ); }`)
		})
		isPost(t, p.tells(t, func() { p.due(t) }))
	})
	t.Run("only fields that count visits are left out", func(t *testing.T) {
		told := p.php(t, `foreach ( array( 'overview', 'review_text', 'preview_image', 'interviews', '_wc_review_count', 'white', 'visitor_info', 'views', 'post_views_count', '_hits', 'jetpack-post-views', 'pageviews', 'view_count' ) as $key ) {
			echo rebake_is_seen_meta( $key ) ? "$key " : ''; }`)
		if want := "overview review_text preview_image interviews _wc_review_count white visitor_info "; told != want {
			t.Errorf("it tells of %q, want %q", told, want)
		}
	})

	// What a request by GET changes.
	const isGET = `$_SERVER['REQUEST_METHOD'] = 'GET'; `
	field := func(key string) string {
		return fmt.Sprintf(isGET+`update_post_meta( %d, '%s', microtime() );`, post.ID, key)
	}
	t.Run("a visit that changes a field is not told", func(t *testing.T) {
		p.silent(t, func() { p.php(t, field("looked_at")) })
		p.silent(t, func() { p.php(t, isGET+`set_theme_mod( 'custom_css_post_id', 5 );`) })
		p.silent(t, func() {
			p.php(t, `define( 'WP_ADMIN', true ); add_filter( 'wp_doing_ajax', '__return_true' ); `+field("looked_at"))
		})
	})
	for name, code := range map[string]string{
		"a visit that buys the last one is told":        field("_stock_status"),
		"a field that an admin page changes is told":    `define( 'WP_ADMIN', true ); ` + field("color"),
		"a field that a payment's call changes is told": `$_SERVER['REQUEST_URI'] = '/?wc-api=bank'; ` + field("color"),
	} {
		t.Run(name, func(t *testing.T) {
			isPost(t, p.tells(t, func() { p.php(t, code) }))
		})
	}
	t.Run("a setting that a GET changes is told", func(t *testing.T) {
		events := p.tells(t, func() { p.php(t, isGET+`update_option( 'blogname', microtime() );`) })
		if diff := cmp.Diff([]told{{Type: "site", What: "option:blogname"}}, events); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("only who may change the address is told of it", func(t *testing.T) {
		addr := freePort(t)
		said := p.php(t, fmt.Sprintf(`add_filter( 'pre_option_rebake_settings', function () { return array( 'url' => 'http://%s', 'secret' => 'a secret' ); } );
			$request = new WP_REST_Request();
			$request['url'] = home_url( '/' );
			foreach ( array( 'contributor', 'editor', 'administrator' ) as $role ) {
				wp_set_current_user( wp_insert_user( array( 'user_login' => "a $role", 'user_pass' => 'x', 'user_email' => "$role@example.com", 'role' => $role ) ) );
				echo "$role: ", rebake_freshness( get_post( %d ) )['detail'], "\n$role: ", rebake_rest_url( $request )->get_error_message(), "\n";
			}`, addr, post.ID))
		for _, line := range strings.Split(strings.TrimSpace(said), "\n") {
			if role, text, _ := strings.Cut(line, ": "); strings.Contains(text, addr) != (role == "administrator") || text == "" {
				t.Errorf("%s", line)
			}
		}
	})
}

// testNetworkAddress enters another address as somebody who runs one site of a
// network, and as somebody who runs them all.
func testNetworkAddress(t *testing.T, p *plugged) {
	said := p.php(t, `require_once WP_PLUGIN_DIR . '/rebake/admin/settings-page.php';
		$owner = wp_insert_user( array( 'user_login' => 'owner', 'user_pass' => 'x', 'user_email' => 'owner@example.com' ) );
		add_user_to_blog( get_current_blog_id(), $owner, 'administrator' );
		foreach ( array( $owner, 1 ) as $user ) {
			wp_set_current_user( $user );
			echo current_user_can( 'manage_options' ) ? 'may ' : 'may not ', implode( ' ', rebake_sanitize_settings( array( 'url' => 'http://127.0.0.1:22', 'secret' => "secret of $user" ) ) ), "\n";
		}`)
	if want := "may " + p.rebake.URL + " secret of 2\nmay http://127.0.0.1:22 secret of 1\n"; said != want {
		t.Errorf("saved %q, want %q", said, want)
	}
}
