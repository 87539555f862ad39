<?php
/**
 * Hooks for posts of all types.
 *
 * The old state is noted at the last moment that has it; the new one is looked
 * at when the request ends, since WordPress saves a post in several steps
 * (terms and the featured image come after save_post).
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'pre_post_update', 'rebake_note_post' );
add_action( 'wp_trash_post', 'rebake_note_post' );
add_action( 'untrash_post', 'rebake_note_post' );
add_action( 'before_delete_post', 'rebake_note_post' );
add_action( 'add_term_relationship', 'rebake_note_relationship', 10, 3 );
add_action( 'delete_term_relationships', 'rebake_note_relationship', 10, 3 );
add_action( 'transition_post_status', 'rebake_note_transition', 1, 3 );
add_action( 'wp_after_insert_post', 'rebake_note_inserted', 1, 4 );
add_action( 'update_option_sticky_posts', 'rebake_note_sticky', 10, 2 );
add_action( 'rebake_post_changed', 'rebake_note_post' ); // For other plugins to call.

/**
 * Notes that a post changes, before it does.
 *
 * @param int $id Of the post; of an attachment or a menu item too.
 */
function rebake_note_post( $id ) {
	$post = $id ? get_post( $id ) : null; // For 0 it is the one that is shown just now.
	if ( $post ) {
		rebake_note_post_as( $post );
	}
}

/**
 * Notes a post by what it is.
 *
 * @param WP_Post $post As it was before the change.
 */
function rebake_note_post_as( WP_Post $post ) {
	$changes = Rebake_Changes::here();
	$part    = rebake_site_part( $post->post_type );
	if ( '' !== $part ) {
		if ( 'publish' === $post->post_status ) {
			rebake_note_site( $part );
		}
	} elseif ( 'attachment' === $post->post_type ) {
		rebake_note_media( $post->ID );
	} elseif ( is_post_type_viewable( $post->post_type ) ) {
		$changes->note(
			'post',
			$post->ID,
			static function () use ( $post ) {
				return rebake_post_state( $post );
			}
		);
	}
}

/**
 * Notes a post that gets, or loses, terms.
 *
 * @param int       $id       Of the post, or of what else has terms.
 * @param int|int[] $terms    Which ones.
 * @param string    $taxonomy Of the terms.
 */
function rebake_note_relationship( $id, $terms = array(), $taxonomy = '' ) {
	$type = $id ? (string) get_post_type( $id ) : '';
	if ( '' === rebake_site_part( $type ) && is_object_in_taxonomy( $type, $taxonomy ) ) {
		rebake_note_post( $id );
	}
}

/**
 * Notes a new status: of a new post, and of a scheduled one whose time has
 * come, for which there is no earlier hook.
 *
 * @param string  $to   A status.
 * @param string  $from A status; "new" for a new post.
 * @param WP_Post $post As it is now; what others who tell of one have is read anew.
 */
function rebake_note_transition( $to, $from = '', $post = null ) {
	$post = $post instanceof WP_Post || empty( $post->ID ) ? $post : get_post( (int) $post->ID );
	if ( ! $post instanceof WP_Post || '' === $from ) {
		return;
	}
	if ( 'new' === $from ) {
		rebake_note_new( $post );
		return;
	}
	$before              = clone $post;
	$before->post_status = $from;
	rebake_note_post_as( $before );
	if ( 'publish' === $to ) {
		rebake_note_post_as( $post ); // A part of the site, such as a template, that was a draft.
	}
}

/**
 * Notes that a post is new. Its terms were noted before WordPress said so.
 *
 * @param WP_Post $post As it is now.
 */
function rebake_note_new( WP_Post $post ) {
	if ( 'wp_global_styles' === $post->post_type || ( 'wp_navigation' === $post->post_type && rebake_is_look() ) ) {
		return; // Empty styles, and the menu of a theme that has none yet: made because somebody looks.
	}
	if ( '' === rebake_site_part( $post->post_type ) && 'attachment' !== $post->post_type && is_post_type_viewable( $post->post_type ) ) {
		Rebake_Changes::here()->correct( 'post', $post->ID, rebake_no_post_state() );
		return;
	}
	rebake_note_post_as( $post );
}

/**
 * Notes a post that is saved, where nothing else has noted it.
 *
 * @param int          $id     Of the post.
 * @param WP_Post      $post   As it is now.
 * @param bool         $update Whether it was there before.
 * @param WP_Post|null $before As it was; null when it is new.
 */
function rebake_note_inserted( $id, $post = null, $update = false, $before = null ) {
	if ( $before instanceof WP_Post ) {
		rebake_note_post_as( $before );
	}
}

/**
 * Notes posts that stick to the front, or do not any more.
 *
 * @param int[] $before Their ids.
 * @param int[] $now    The same now.
 */
function rebake_note_sticky( $before, $now = array() ) {
	$before = array_map( 'intval', (array) $before );
	$now    = array_map( 'intval', (array) $now );
	foreach ( array_merge( array_diff( $before, $now ), array_diff( $now, $before ) ) as $id ) {
		rebake_note_post( $id );
		if ( Rebake_Changes::here()->has( 'post', $id ) ) {
			// When nothing has noted it before, it was noted with the new value.
			Rebake_Changes::here()->correct( 'post', $id, array( 'listed' => 'sticky' ) );
		}
	}
}
