<?php
/**
 * Tools, Rebake: have all pages made anew.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'admin_menu', 'rebake_add_tools_page' );
add_action( 'admin_post_rebake_all', 'rebake_handle_all' );

/**
 * Adds the page.
 */
function rebake_add_tools_page() {
	add_management_page( __( 'Rebake', 'rebake' ), __( 'Rebake', 'rebake' ), 'manage_options', 'rebake-all', 'rebake_tools_page' );
}

/**
 * The page.
 */
function rebake_tools_page() {
	$key    = 'rebake_all_' . get_current_user_id();
	$result = get_transient( $key );
	delete_transient( $key );
	echo '<div class="wrap"><h1>' . esc_html__( 'Rebake', 'rebake' ) . '</h1>';
	if ( is_array( $result ) ) {
		printf(
			'<div class="notice notice-%s inline"><p>%s</p></div>',
			'ok' === $result['kind'] ? 'success' : 'error',
			esc_html( 'ok' === $result['kind'] ? __( 'Rebake makes all pages anew, a few at a time.', 'rebake' ) : rebake_explain( $result ) )
		);
	}
	echo '<h2>' . esc_html__( 'Rebake everything', 'rebake' ) . '</h2>';
	echo '<p>' . esc_html__( 'Edits need no help: their pages follow by themselves. This is for changes that WordPress does not see, such as files of the theme that were edited on the server.', 'rebake' ) . '</p>';
	echo '<p>' . esc_html__( 'Readers notice nothing: every page stays as it is until the new one is complete, and edits go first.', 'rebake' ) . '</p>';
	if ( ! rebake_is_configured() ) {
		echo '<p>';
		/* translators: %s: link. */
		printf( esc_html__( 'First say where Rebake is: %s.', 'rebake' ), '<a href="' . esc_url( admin_url( 'options-general.php?page=rebake' ) ) . '">' . esc_html__( 'Settings', 'rebake' ) . '</a>' );
		echo '</p></div>';
		return;
	}
	echo '<form action="' . esc_url( admin_url( 'admin-post.php' ) ) . '" method="post"><input type="hidden" name="action" value="rebake_all">';
	wp_nonce_field( 'rebake_all' );
	submit_button( __( 'Rebake everything', 'rebake' ), 'primary', 'submit', false );
	echo '</form></div>';
}

/**
 * Asks for all pages.
 */
function rebake_handle_all() {
	if ( ! current_user_can( 'manage_options' ) ) {
		wp_die( esc_html__( 'You may not do this.', 'rebake' ), '', array( 'response' => 403 ) );
	}
	check_admin_referer( 'rebake_all' );
	set_transient( 'rebake_all_' . get_current_user_id(), rebake_by_hand( array() ), MINUTE_IN_SECONDS );
	wp_safe_redirect( admin_url( 'tools.php?page=rebake-all' ) );
	exit;
}
