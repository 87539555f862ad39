<?php
/**
 * Whether the public page is fresh, on the post screen: a meta box in the
 * classic editor, a panel in the block editor.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'add_meta_boxes', 'rebake_add_meta_box', 10, 2 );
add_action( 'admin_enqueue_scripts', 'rebake_enqueue_meta_box', 20 );
add_action( 'enqueue_block_editor_assets', 'rebake_enqueue_panel' );

/**
 * Adds the meta box; the block editor leaves it out.
 *
 * @param string  $type Of the post.
 * @param WP_Post $post That is edited.
 */
function rebake_add_meta_box( $type, $post = null ) {
	if ( $post instanceof WP_Post && rebake_has_panel( $type ) ) {
		add_meta_box( 'rebake', __( 'Rebake', 'rebake' ), 'rebake_meta_box', $type, 'side', 'default', array( '__back_compat_meta_box' => true ) );
	}
}

/**
 * Whether posts of a type can have a public page.
 *
 * @param string $type A post type.
 */
function rebake_has_panel( $type ) {
	return rebake_is_configured() && 'attachment' !== $type && is_post_type_viewable( $type );
}

/**
 * The meta box, which the script fills.
 *
 * @param WP_Post $post That is edited.
 */
function rebake_meta_box( $post ) {
	printf( '<div class="rebake-freshness" data-post="%d"></div>', (int) $post->ID );
}

/**
 * Adds the script of the meta box.
 */
function rebake_enqueue_meta_box() {
	$screen = get_current_screen();
	if ( $screen && 'post' === $screen->base && ! $screen->is_block_editor() && rebake_has_panel( $screen->post_type ) ) {
		rebake_enqueue_freshness();
	}
}

/**
 * Adds the scripts of the panel.
 */
function rebake_enqueue_panel() {
	$screen = get_current_screen();
	if ( ! $screen || 'post' !== $screen->base || ! rebake_has_panel( $screen->post_type ) ) {
		return; // The editor of the site, or of widgets.
	}
	rebake_enqueue_freshness();
	wp_enqueue_script( 'rebake-panel', plugins_url( 'assets/panel.js', REBAKE_FILE ), array( 'rebake-freshness', 'wp-plugins', 'wp-edit-post', 'wp-element', 'wp-data', 'wp-editor' ), REBAKE_VERSION, true );
}

/**
 * Adds what both have in common.
 */
function rebake_enqueue_freshness() {
	wp_enqueue_style( 'rebake', plugins_url( 'assets/rebake.css', REBAKE_FILE ), array(), REBAKE_VERSION );
	wp_enqueue_script( 'rebake-freshness', plugins_url( 'assets/freshness.js', REBAKE_FILE ), array( 'wp-api-fetch', 'wp-dom-ready' ), REBAKE_VERSION, true );
	rebake_hand_over(
		'rebake-freshness',
		'rebakeWords',
		array(
			'title'  => __( 'Rebake', 'rebake' ),
			'asking' => __( 'Asking …', 'rebake' ),
			'rebake' => __( 'Rebake this page', 'rebake' ),
		)
	);
}
