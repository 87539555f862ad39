<?php
/**
 * Hooks for authors.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'profile_update', 'rebake_note_profile', 10, 2 );
add_action( 'delete_user', 'rebake_note_deleted_user', 10, 2 );
add_action( 'added_user_meta', 'rebake_note_user_meta', 10, 3 );
add_action( 'updated_user_meta', 'rebake_note_user_meta', 10, 3 );
add_action( 'deleted_user_meta', 'rebake_note_user_meta', 10, 3 );

/**
 * Notes that an author changes.
 *
 * @param int    $id       Of the user.
 * @param string $nicename What the address of the archive ended with before; '' when that is what it does now.
 */
function rebake_note_user( $id, $nicename = '' ) {
	Rebake_Changes::here()->note(
		'user',
		$id,
		static function () use ( $id, $nicename ) {
			return array(
				'author' => rebake_is_author( $id ),
				'link'   => get_author_posts_url( $id, $nicename ),
			);
		}
	);
}

/**
 * Whether anything public is by a user.
 *
 * @param int $id Of the user.
 */
function rebake_is_author( $id ) {
	return count_user_posts( $id, get_post_types( array( 'public' => true ) ), true ) > 0;
}

/**
 * Notes a profile, if what is public of it has changed: a new password has not.
 *
 * @param int     $id     Of the user.
 * @param WP_User $before The user as it was.
 */
function rebake_note_profile( $id, $before ) {
	$now = get_userdata( $id );
	foreach ( array( 'display_name', 'user_nicename', 'user_url', 'user_email' ) as $field ) {
		if ( $now && $now->$field !== $before->$field ) {
			rebake_note_user( $id, $before->user_nicename );
			Rebake_Changes::here()->correct( 'user', $id, array( 'link' => get_author_posts_url( $id, $before->user_nicename ) ) );
			return;
		}
	}
}

/**
 * Notes a user that goes, and the one who gets the posts.
 *
 * @param int      $id   Of the user.
 * @param int|null $heir Of the other one.
 */
function rebake_note_deleted_user( $id, $heir ) {
	rebake_note_user( $id );
	if ( $heir ) {
		rebake_note_user( (int) $heir );
	}
}

/**
 * Notes an author who is described in another way.
 *
 * @param int|int[] $meta_id Of the entry or the entries.
 * @param int       $id      Of the user.
 * @param string    $key     Of the entry.
 */
function rebake_note_user_meta( $meta_id, $id, $key ) {
	if ( in_array( $key, array( 'description', 'first_name', 'last_name', 'nickname' ), true ) ) {
		rebake_note_user( $id );
	}
}

/**
 * The events of a user. Nobody sees one who has published nothing.
 *
 * @param int   $id     Of the user.
 * @param array $before What was noted.
 */
function rebake_user_events( $id, array $before ) {
	$now = get_userdata( $id ) && rebake_is_author( $id );
	if ( ! $before['author'] && ! $now ) {
		return array();
	}
	$link   = get_userdata( $id ) ? get_author_posts_url( $id ) : '';
	$events = array(
		array(
			'type'      => 'user',
			'id'        => (int) $id,
			'links'     => $now ? array( $link ) : array(),
			'old_links' => $before['author'] ? array( $before['link'] ) : array(),
		),
	);
	if ( $before['link'] !== $link && false !== strpos( (string) get_option( 'permalink_structure' ), '%author%' ) ) {
		$events[] = array( 'type' => 'all' ); // The addresses of the posts hold the name.
	}
	return $events;
}
