<?php
/**
 * Makes an event of a post's state before and after.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * The events of a post that may have changed.
 *
 * @param int   $id     Of the post.
 * @param array $before Its state, see rebake_post_state().
 */
function rebake_post_events( $id, array $before ) {
	$post = get_post( $id );
	$now  = $post ? rebake_post_state( $post ) : array( 'status' => 'deleted' ) + rebake_no_post_state();
	$type = $now['type'] ?? $before['type'];
	// A menu does not have what is new, and what is deleted it loses, which is noted.
	$other = $before['in_menus'] && $now['in_menus'] && $before['in_menus'] !== $now['in_menus'] ? array( (int) $id ) : array();
	if ( ! $before['public'] && ! $now['public'] ) {
		return rebake_menu_events( 'post_type', $type, $other );
	}
	$listed = $before['listed'] !== $now['listed'];

	// Those that were below it may be below another page now.
	$now['descendants'] += array_filter( array_map( 'rebake_public_link', array_combine( array_keys( $before['descendants'] ), array_keys( $before['descendants'] ) ) ) );

	$moved = rebake_moved( $before['descendants'], $now['descendants'] );
	if ( count( $moved ) > Rebake_Changes::MOST ) {
		return array( array( 'type' => 'all' ) );
	}
	$event = array(
		'type'            => 'post',
		'id'              => (int) $id,
		'post_type'       => $type,
		'rest_base'       => rebake_rest_base( $type ),
		'status'          => $now['status'],
		'old_status'      => $before['status'],
		'modified_gmt'    => $post ? rebake_time( $post->post_modified_gmt ) : '',
		'links'           => $now['links'],
		'old_links'       => $before['links'],
		'archives'        => $now['archives'],
		'old_archives'    => $before['archives'],
		'terms'           => $now['terms'],
		'old_terms'       => $before['terms'],
		'author'          => $now['author'] ?? $before['author'],
		'old_author'      => $before['author'] ?? $now['author'],
		'listed'          => $listed,
		'descendants'     => array_values( array_intersect_key( $now['descendants'], $moved ) ),
		'old_descendants' => array_values( array_intersect_key( $before['descendants'], $moved ) ),
	);
	if ( $listed ) {
		$event['archives']     = rebake_links( array_merge( $now['archives'], $now['neighbours'] ) );
		$event['old_archives'] = rebake_links( array_merge( $before['archives'], $before['neighbours'] ) );
	}
	return array_merge( array( $event ), rebake_menu_events( 'post_type', $type, array_merge( $other, array_keys( $moved ) ) ) );
}

/**
 * Which pages have another address now, or had none before.
 *
 * @param string[] $before Addresses by ids.
 * @param string[] $now    The same now.
 * @return string[] By ids.
 */
function rebake_moved( array $before, array $now ) {
	return array_diff_assoc( $before, $now ) + array_diff_assoc( $now, $before );
}

/**
 * What the REST API calls a type's posts, '' when it has none of them.
 *
 * @param string $type A post type.
 */
function rebake_rest_base( $type ) {
	$object = get_post_type_object( $type );
	if ( ! $object || ! $object->show_in_rest ) {
		return '';
	}
	return $object->rest_base ? (string) $object->rest_base : $object->name; // Some types are registered with true.
}

/**
 * A time of the database in the form that the REST API gives it, '' for none.
 *
 * @param string $gmt "2026-11-23 10:00:00".
 */
function rebake_time( $gmt ) {
	return 0 === strpos( (string) $gmt, '0000' ) ? '' : str_replace( ' ', 'T', (string) $gmt );
}
