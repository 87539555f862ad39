<?php
/**
 * Hooks for authors.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'profile_update', 'rebake_note_profile', 10, 2 );
add_action( 'delete_user', 'rebake_note_deleted_user', 10, 2 );
add_action( 'remove_user_from_blog', 'rebake_note_removed_user', 10, 3 );
add_action( 'added_user_meta', 'rebake_note_user_meta', 10, 3 );
add_action( 'updated_user_meta', 'rebake_note_user_meta', 10, 3 );
add_action( 'deleted_user_meta', 'rebake_note_user_meta', 10, 3 );

/**
 * Notes that an author of the current site changes.
 *
 * @param int $id Of the user.
 */
function rebake_note_user( $id ) {
	Rebake_Changes::here()->note(
		'user',
		$id,
		static function () use ( $id ) {
			return array(
				'author' => rebake_is_author( $id ),
				'link'   => get_author_posts_url( $id ),
			);
		}
	);
}

/**
 * Notes that an author changes, on all sites that may show it: those of a
 * network have their users in common.
 *
 * @param int    $id       Of the user.
 * @param string $nicename What the address of the archive ended with before; '' when that is what it does now.
 */
function rebake_note_user_on_sites( $id, $nicename = '' ) {
	rebake_on_sites(
		rebake_user_sites( $id ),
		static function () use ( $id, $nicename ) {
			rebake_note_user( $id );
			if ( '' !== $nicename && Rebake_Changes::here()->has( 'user', $id ) ) { // Its meta, which is saved first, was noted with the new one.
				Rebake_Changes::here()->correct( 'user', $id, array( 'link' => get_author_posts_url( $id, $nicename ) ) );
			}
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
 * @param int          $id     Of the user.
 * @param WP_User|null $before The user as it was; null when others do not tell.
 */
function rebake_note_profile( $id, $before = null ) {
	$now = get_userdata( $id );
	foreach ( array( 'display_name', 'user_nicename', 'user_url', 'user_email' ) as $field ) {
		if ( $now && $now->$field !== ( $before->$field ?? null ) ) {
			rebake_note_user_on_sites( $id, (string) ( $before->user_nicename ?? '' ) );
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
function rebake_note_deleted_user( $id, $heir = null ) {
	rebake_note_user( $id );
	if ( $heir ) {
		rebake_note_user( (int) $heir );
	}
}

/**
 * Notes a user who leaves the current site of a network, and the one who gets
 * the posts there.
 *
 * @param int      $id   Of the user.
 * @param int      $site Of the site.
 * @param int|null $heir Of the other one.
 */
function rebake_note_removed_user( $id, $site = 0, $heir = null ) {
	rebake_note_deleted_user( $id, $heir );
}

/**
 * Notes an author who is described in another way.
 *
 * @param int|int[] $meta_id Of the entry or the entries.
 * @param int       $id      Of the user.
 * @param string    $key     Of the entry.
 */
function rebake_note_user_meta( $meta_id, $id = 0, $key = '' ) {
	if ( in_array( $key, array( 'description', 'first_name', 'last_name', 'nickname' ), true ) ) {
		rebake_note_user_on_sites( $id );
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
