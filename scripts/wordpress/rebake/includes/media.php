<?php
/**
 * Hooks for pictures and other uploads.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'add_attachment', 'rebake_note_upload', 1 );
add_action( 'edit_attachment', 'rebake_note_media' );
add_action( 'delete_attachment', 'rebake_note_media' );
add_filter( 'wp_update_attachment_metadata', 'rebake_note_metadata', 10, 2 );

/**
 * Notes that an upload changes.
 *
 * @param int $id Of the attachment.
 */
function rebake_note_media( $id ) {
	Rebake_Changes::here()->note(
		'media',
		$id,
		static function () {
			return array( 'new' => false );
		}
	);
}

/**
 * Notes a new upload. Nothing shows it yet, but a gallery of the post that it
 * was uploaded to may.
 *
 * @param int $id Of the attachment.
 */
function rebake_note_upload( $id ) {
	Rebake_Changes::here()->correct( 'media', $id, array( 'new' => true ) );
	$parent = wp_get_post_parent_id( $id );
	if ( $parent ) {
		rebake_note_post( $parent );
	}
}

/**
 * Notes that the files of a picture were made again.
 *
 * @param array $data Its sizes.
 * @param int   $id   Of the attachment.
 */
function rebake_note_metadata( $data, $id = 0 ) {
	if ( $id ) {
		rebake_note_media( $id );
	}
	return $data;
}

/**
 * The events of an upload.
 *
 * @param int   $id     Of the attachment.
 * @param array $before Whether it is new.
 */
function rebake_media_events( $id, array $before ) {
	return $before['new'] ? array() : array(
		array(
			'type' => 'media',
			'id'   => (int) $id,
		),
	);
}
