package e2e

import (
	"fmt"
	"testing"
)

// callOurs calls a hook without WordPress' own functions, of which some end with
// an error for less.
const callOurs = `
	foreach ( $GLOBALS['wp_filter'][ $call[0] ]->callbacks ?? array() as $priority => $callbacks ) {
		foreach ( $callbacks as $callback ) {
			if ( ! is_string( $callback['function'] ) || 0 !== strpos( $callback['function'], 'rebake_' ) ) {
				remove_action( $call[0], $callback['function'], $priority );
			}
		}
	}
	do_action( ...$call );`

// testPluginCalls is what other plugins do with the hooks that ours listens to:
// they call them with less than WordPress does, or with something else.
func testPluginCalls(t *testing.T, p *plugged) {
	post := p.newPost(t, "called", "Called")
	edited := fmt.Sprintf(`wp_update_post( array( 'ID' => %d, 'post_content' => microtime() ) ); `, post.ID)
	for _, call := range []string{
		`'profile_update', 1`, `'delete_user', 999`, `'remove_user_from_blog', 999`, `'updated_user_meta', 1`, `'updated_user_meta', 1, 1`,
		fmt.Sprintf(`'wp_after_insert_post', %[1]d, get_post( %[1]d ), true`, post.ID), fmt.Sprintf(`'wp_after_insert_post', %d`, post.ID),
		`'transition_post_status', 'publish'`, `'transition_post_status', 'publish', 'draft', null`, `'transition_post_status', 'publish', 'new', new stdClass()`,
		fmt.Sprintf(`'transition_post_status', 'publish', 'publish', (object) array( 'ID' => %d )`, post.ID),
		fmt.Sprintf(`'transition_post_status', 'publish', 'new', (object) array( 'ID' => %d )`, post.ID),
		`'add_term_relationship', 1`, `'delete_term_relationships', 1, array( 1 )`, `'update_option_sticky_posts', array()`,
		`'upgrader_process_complete', null`, `'upgrader_process_complete', null, 'plugin'`, `'activated_plugin', null`, `'deactivated_plugin'`,
		`'wp_update_nav_menu_item', 1`, `'wp_update_nav_menu'`, `'added_option'`, `'updated_option', array( 'blogname' )`, `'rebake_site_changed'`, `'rebake_site_changed', array( 'x' )`,
		`'added_post_meta', 1`, `'updated_post_meta', 1, 1`, `'updated_term_meta', 1`, `'edit_terms'`, `'created_term', new stdClass()`,
		`'transition_comment_status', 'approved'`, `'transition_comment_status', 'approved', 'hold', null`, `'wp_insert_comment'`, `'edit_comment', new stdClass()`,
		`'edit_attachment'`, `'add_attachment', new stdClass()`, `'before_delete_post'`, `'pre_post_update', array()`, `'rebake_post_changed'`, `'admin_bar_menu'`,
	} {
		t.Run(call, func(t *testing.T) {
			events := p.tells(t, func() {
				if said := p.php(t, edited+`$call = array( `+call+` );`+callOurs+` echo 'done';`); said != "done" {
					t.Errorf("it says %q", said)
				}
			})
			if len(events) == 0 || events[0].Type != "post" || events[0].ID != post.ID {
				t.Errorf("events %+v, want the edit first", events)
			}
		})
	}
	t.Run("a filter with its value alone", func(t *testing.T) {
		p.silent(t, func() {
			if said := p.php(t, `echo implode( apply_filters( 'wp_update_attachment_metadata', array( 'its value' ) ) );`); said != "its value" {
				t.Errorf("it says %q", said)
			}
		})
	})
	t.Run("a type that is registered as no name of the REST API", func(t *testing.T) {
		events := p.tells(t, func() {
			p.php(t, `register_post_type( 'dish', array( 'public' => true, 'show_in_rest' => true, 'rest_base' => true ) );
				wp_insert_post( array( 'post_type' => 'dish', 'post_status' => 'publish', 'post_title' => 'Soup' ) );`)
		})
		if len(events) != 1 || events[0].PostType != "dish" || events[0].RESTBase != "1" {
			t.Errorf("events %+v", events)
		}
	})
}
