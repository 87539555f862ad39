<?php
/**
 * Hooks for post meta: featured images and custom fields.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'added_post_meta', 'rebake_note_post_meta', 10, 3 );
add_action( 'updated_post_meta', 'rebake_note_post_meta', 10, 3 );
add_action( 'deleted_post_meta', 'rebake_note_post_meta', 10, 3 );

/**
 * Notes a post, or a picture, whose meta has changed.
 *
 * @param int|int[] $meta_id Of the entry or the entries.
 * @param int       $post_id Of the post.
 * @param string    $key     Of the entry.
 */
function rebake_note_post_meta( $meta_id, $post_id = 0, $key = '' ) {
	$post = $post_id ? get_post( $post_id ) : null;
	if ( ! $post || ! in_array( $post->post_type, get_post_types(), true ) || ! ( 'attachment' === $post->post_type || rebake_is_public( $post ) ) ) {
		return;
	}
	/**
	 * Filters whether a change of meta can be seen in public.
	 *
	 * @param bool    $seen Whether Rebake is told.
	 * @param string  $key  Of the meta.
	 * @param WP_Post $post Whose it is.
	 */
	if ( apply_filters( 'rebake_watch_meta', rebake_is_seen_meta( $key ), $key, $post ) ) {
		rebake_note_post_as( $post );
	}
}

/**
 * Whether a change of meta is likely to be seen in public. WordPress' own notes
 * are not, nor are what a mere visit changes and what counts visits: each would
 * ask for the page that was just visited. What a shop has left, and for how much,
 * changes when a buyer comes back from the payment, which looks like a visit.
 *
 * @param string $key Of the meta.
 */
function rebake_is_seen_meta( $key ) {
	if ( preg_match( '/^_(stock|price|regular_price|sale_price)/', $key ) ) {
		return true;
	}
	return ! rebake_is_visit() && ! preg_match( '/^_edit_|^_wp_(old|trash|desired|attachment_backup)_|^_oembed_|^_(encloseme|pingme)$|(^|[_-])((page|post)?views?|visits?|hits?)([_-]|$)/', $key );
}
