<?php
/**
 * Hooks for categories, tags and other terms.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'edit_terms', 'rebake_note_term' );
add_action( 'created_term', 'rebake_note_new_term' );
add_action( 'pre_delete_term', 'rebake_note_term' );
add_action( 'added_term_meta', 'rebake_note_term_meta', 10, 2 );
add_action( 'updated_term_meta', 'rebake_note_term_meta', 10, 2 );
add_action( 'deleted_term_meta', 'rebake_note_term_meta', 10, 2 );

/**
 * Notes that a term changes, before it does.
 *
 * @param int  $id     Of the term.
 * @param bool $is_new Whether it was not there before.
 */
function rebake_note_term( $id, $is_new = false ) {
	$term = get_term( (int) $id );
	if ( ! $term instanceof WP_Term ) {
		return;
	}
	if ( 'nav_menu' === $term->taxonomy ) {
		rebake_note_site( 'menu' );
	} elseif ( is_taxonomy_viewable( $term->taxonomy ) ) {
		Rebake_Changes::here()->note(
			'term',
			$term->term_id,
			static function () use ( $term, $is_new ) {
				return array( 'taxonomy' => $term->taxonomy ) + ( true === $is_new ? rebake_no_term_state() : rebake_term_state( $term ) );
			}
		);
	}
}

/**
 * Notes a new term.
 *
 * @param int $id Of the term.
 */
function rebake_note_new_term( $id ) {
	rebake_note_term( $id, true );
}

/**
 * Notes that a term has other meta.
 *
 * @param int|int[] $meta_id Of the entry or the entries.
 * @param int       $id      Of the term.
 */
function rebake_note_term_meta( $meta_id, $id ) {
	rebake_note_term( $id );
}

/**
 * The state of a term.
 *
 * @param WP_Term $term Any that has an archive.
 */
function rebake_term_state( WP_Term $term ) {
	$children = get_term_children( $term->term_id, $term->taxonomy );
	$related  = rebake_term_ancestors( $term );
	foreach ( is_array( $children ) ? $children : array() as $id ) {
		$related[] = get_term_link( (int) $id, $term->taxonomy );
	}
	return array(
		'links'    => rebake_links( array( get_term_link( $term ) ) ),
		'archives' => rebake_links( $related ),
	);
}

/**
 * The state of a term that is not there.
 */
function rebake_no_term_state() {
	return array(
		'links'    => array(),
		'archives' => array(),
	);
}

/**
 * The addresses of the archives above a term's own.
 *
 * @param WP_Term $term Any that has an archive.
 */
function rebake_term_ancestors( WP_Term $term ) {
	$links = array();
	foreach ( get_ancestors( $term->term_id, $term->taxonomy, 'taxonomy' ) as $id ) {
		$links[] = get_term_link( (int) $id, $term->taxonomy );
	}
	return rebake_links( $links );
}

/**
 * The events of a term.
 *
 * @param int   $id     Of the term.
 * @param array $before Its state, and the taxonomy.
 */
function rebake_term_events( $id, array $before ) {
	$term = get_term( (int) $id );
	$now  = $term instanceof WP_Term ? rebake_term_state( $term ) : rebake_no_term_state();
	if ( ! $before['links'] && ! $now['links'] ) {
		return array();
	}
	$action = $before['links'] ? 'edited' : 'created';
	$events = array(
		array(
			'type'      => 'term',
			'taxonomy'  => $before['taxonomy'],
			'id'        => (int) $id,
			'action'    => $now['links'] ? $action : 'deleted',
			'links'     => $now['links'],
			'old_links' => $before['links'],
			'archives'  => rebake_links( array_merge( $now['archives'], $before['archives'] ) ),
		),
	);
	if ( 'edited' === $action && $now['links'] !== $before['links'] && false !== strpos( (string) get_option( 'permalink_structure' ), "%{$before['taxonomy']}%" ) ) {
		$events[] = array( 'type' => 'all' ); // The addresses of its posts hold its slug.
	}
	return $events;
}
