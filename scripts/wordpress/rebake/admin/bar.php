<?php
/**
 * "Rebake this page" in the admin bar, on the site and in the editor.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'admin_bar_menu', 'rebake_add_to_bar', 90 );
add_action( 'wp_enqueue_scripts', 'rebake_enqueue_bar' );
add_action( 'admin_enqueue_scripts', 'rebake_enqueue_bar' );

/**
 * What the link would have made anew.
 *
 * @return array The route, and the field with its value; none where there is no page.
 */
function rebake_bar_target() {
	if ( ! rebake_is_configured() || ! is_admin_bar_showing() ) {
		return array();
	}
	$post = rebake_bar_post();
	if ( $post ) {
		return rebake_is_public( $post ) && current_user_can( 'edit_post', $post->ID ) ? array( 'post', 'post', $post->ID ) : array();
	}
	if ( is_admin() || is_404() || is_search() || is_preview() || ! rebake_may_rebake_any() ) {
		return array();
	}
	$path = (string) wp_parse_url( esc_url_raw( wp_unslash( $_SERVER['REQUEST_URI'] ?? '/' ) ), PHP_URL_PATH );
	$base = (string) wp_parse_url( home_url( '/' ), PHP_URL_PATH );
	return array( 'url', 'url', home_url( '/' ) . substr( $path, strlen( $base ) ) );
}

/**
 * The post that is edited or looked at; null for a list.
 */
function rebake_bar_post() {
	if ( ! is_admin() ) {
		$shown = is_singular() ? get_queried_object() : null;
		return $shown instanceof WP_Post ? $shown : null; // Other plugins make pages of what they like.
	}
	$screen = function_exists( 'get_current_screen' ) ? get_current_screen() : null;
	return $screen && 'post' === $screen->base && 'add' !== $screen->action ? get_post() : null;
}

/**
 * Adds the link.
 *
 * @param WP_Admin_Bar $bar The bar.
 */
function rebake_add_to_bar( $bar ) {
	if ( $bar instanceof WP_Admin_Bar && rebake_bar_target() ) {
		$bar->add_node(
			array(
				'id'    => 'rebake',
				'title' => esc_html__( 'Rebake this page', 'rebake' ),
				'href'  => '#',
				'meta'  => array( 'title' => __( 'Have the public page made anew', 'rebake' ) ),
			)
		);
	}
}

/**
 * Adds the script behind the link.
 */
function rebake_enqueue_bar() {
	$target = rebake_bar_target();
	if ( ! $target ) {
		return;
	}
	wp_enqueue_script( 'rebake-bar', plugins_url( 'assets/bar.js', REBAKE_FILE ), array(), REBAKE_VERSION, true );
	rebake_hand_over(
		'rebake-bar',
		'rebakeBar',
		array(
			'url'   => rest_url( 'rebake/v1/' . $target[0] ),
			'body'  => array( $target[1] => $target[2] ),
			'nonce' => wp_create_nonce( 'wp_rest' ),
			'words' => array(
				'busy' => __( 'Rebaking …', 'rebake' ),
				'done' => __( 'Rebake is at it', 'rebake' ),
				'no'   => __( 'Rebake: failed', 'rebake' ),
			),
		)
	);
}

/**
 * Gives a script what PHP knows.
 *
 * @param string $handle Of the script.
 * @param string $name   Of the variable.
 * @param array  $data   Its value.
 */
function rebake_hand_over( $handle, $name, array $data ) {
	wp_add_inline_script( $handle, "window.$name = " . wp_json_encode( $data ) . ';', 'before' );
}
