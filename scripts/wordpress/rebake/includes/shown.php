<?php
/**
 * Says which posts a page shows, and how old they and the page are.
 *
 * A cache in front of the theme may give Rebake a page from before an edit. It
 * keeps what stands here with the page, so Rebake sees that, and asks again. Most
 * caches keep headers; for those that keep the HTML alone it stands in that too,
 * and Rebake takes it out again.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

// Last, after all that may answer in the place of the theme.
add_action( 'template_redirect', 'rebake_send_shown', PHP_INT_MAX );
add_action( 'wp_head', 'rebake_print_shown', 1 );

/**
 * Sends what is shown as a header.
 */
function rebake_send_shown() {
	$shown = rebake_shown();
	if ( '' !== $shown && ! headers_sent() ) {
		header( 'Rebake-Items: ' . $shown );
	}
}

/**
 * A time in GMT, to the millisecond: "2026-11-23T10:00:05.250Z".
 *
 * @param float $time Seconds, of microtime( true ).
 */
function rebake_clock( $time ) {
	return gmdate( 'Y-m-d\TH:i:s', (int) $time ) . sprintf( '.%03dZ', (int) ( 1000 * ( $time - (int) $time ) ) );
}

/**
 * Prints the same into the head of a page.
 */
function rebake_print_shown() {
	$shown = rebake_shown();
	if ( '' !== $shown ) {
		echo '<meta name="rebake-items" content="' . esc_attr( $shown ) . '">' . "\n";
	}
}

/**
 * What the answer to this request shows: when it was made, and the posts of the
 * main query with the times of their last edits, all in GMT:
 * "@2026-11-23T10:00:05.250Z, post:42@2026-11-23T10:00:00Z".
 *
 * @return string '' for what is not everybody's.
 */
function rebake_shown() {
	global $wp_query;
	if ( is_user_logged_in() || is_preview() || is_customize_preview() || ! $wp_query instanceof WP_Query ) {
		return '';
	}
	// Whatever the page shows was read later than its request began.
	$began = isset( $_SERVER['REQUEST_TIME_FLOAT'] ) ? (float) $_SERVER['REQUEST_TIME_FLOAT'] : time();
	$shown = array( '@' . rebake_clock( $began ) );
	foreach ( array_slice( (array) $wp_query->posts, 0, 50 ) as $post ) {
		if ( $post instanceof WP_Post && 'publish' === $post->post_status && '' === $post->post_password && rebake_is_public( $post ) ) {
			$edited  = rebake_time( $post->post_modified_gmt );
			$shown[] = $post->post_type . ':' . $post->ID . ( '' === $edited ? '' : '@' . $edited . 'Z' );
		}
	}
	/**
	 * Filters what a page says of what it shows; an empty list says nothing.
	 *
	 * @param string[] $shown Names of items, with their versions.
	 */
	return implode( ', ', (array) apply_filters( 'rebake_shown', $shown ) );
}
