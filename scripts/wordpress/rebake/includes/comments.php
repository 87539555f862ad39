<?php
/**
 * Hooks for comments.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'wp_insert_comment', 'rebake_note_new_comment' );
add_action( 'edit_comment', 'rebake_note_comment' );
add_action( 'delete_comment', 'rebake_note_comment' );
add_action( 'transition_comment_status', 'rebake_note_comment_status', 10, 3 );

/**
 * Notes a comment that changes.
 *
 * @param int  $id      Of the comment.
 * @param bool $visible Whether it was to be seen; null when that is what it is now.
 */
function rebake_note_comment( $id, $visible = null ) {
	$comment = $id ? get_comment( $id ) : null; // For 0 it is the one that is shown just now.
	if ( ! $comment ) {
		return;
	}
	$visible = is_bool( $visible ) ? $visible : '1' === (string) $comment->comment_approved;
	$changes = Rebake_Changes::here();
	$changes->note(
		'comment',
		$id,
		static function () use ( $comment ) {
			return array(
				'visible' => false,
				'new'     => false,
				'post'    => (int) $comment->comment_post_ID,
			);
		}
	);
	if ( $visible && $changes->has( 'comment', $id ) ) {
		$changes->correct( 'comment', $id, array( 'visible' => true ) );
	}
}

/**
 * Notes a new comment.
 *
 * @param int $id Of the comment.
 */
function rebake_note_new_comment( $id ) {
	rebake_note_comment( $id, false );
	if ( Rebake_Changes::here()->has( 'comment', $id ) ) {
		Rebake_Changes::here()->correct( 'comment', $id, array( 'new' => true ) );
	}
}

/**
 * Notes a comment that was approved, or is so no more.
 *
 * @param string     $to      A status.
 * @param string     $from    A status.
 * @param WP_Comment $comment Which one.
 */
function rebake_note_comment_status( $to, $from = '', $comment = null ) {
	if ( isset( $comment->comment_ID ) ) {
		rebake_note_comment( $comment->comment_ID, 'approved' === $from );
	}
}

/**
 * The events of a comment. Nobody sees one that waits, or that is below a post
 * which is not public.
 *
 * @param int   $id     Of the comment.
 * @param array $before What was noted.
 */
function rebake_comment_events( $id, array $before ) {
	$comment = get_comment( $id );
	$post    = get_post( $before['post'] );
	$visible = $comment && '1' === (string) $comment->comment_approved;
	$seen    = $before['visible'] && ! $before['new']; // A new one may be approved, and held at once.
	if ( ( ! $visible && ! $seen ) || ! $post || ! rebake_is_public( $post ) ) {
		return array();
	}
	return array(
		array(
			'type'      => 'comment',
			'id'        => (int) $id,
			'post'      => $post->ID,
			'post_type' => $post->post_type,
			'links'     => array( get_permalink( $post ) ),
		),
	);
}
