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
	$term = is_scalar( $id ) ? get_term( (int) $id ) : null;
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
function rebake_note_term_meta( $meta_id, $id = 0 ) {
	rebake_note_term( $id );
}

/**
 * The state of a term.
 *
 * @param WP_Term $term Any that has an archive.
 */
function rebake_term_state( WP_Term $term ) {
	$children = get_term_children( $term->term_id, $term->taxonomy );
	$below    = rebake_term_links( is_array( $children ) ? $children : array(), $term->taxonomy );
	return array(
		'name'     => $term->name,
		'links'    => rebake_links( array( get_term_link( $term ) ) ),
		'archives' => rebake_links( array_merge( rebake_term_ancestors( $term ), $below ) ),
		'below'    => $below,
	);
}

/**
 * The addresses of terms, which may begin with those of the terms above them.
 *
 * @param int[]  $ids      Of the terms.
 * @param string $taxonomy Of them all.
 * @return string[] By their ids.
 */
function rebake_term_links( array $ids, $taxonomy ) {
	$links = array();
	foreach ( $ids as $id ) {
		$links[ (int) $id ] = get_term_link( (int) $id, $taxonomy );
	}
	return array_filter( $links, 'is_string' );
}

/**
 * The state of a term that is not there.
 */
function rebake_no_term_state() {
	return array(
		'name'     => '',
		'links'    => array(),
		'archives' => array(),
		'below'    => array(),
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
	// Those that were below it may be below another one now.
	$now['below'] += rebake_term_links( array_keys( $before['below'] ), $before['taxonomy'] );

	$moved = array_keys( array_intersect_key( rebake_moved( $before['below'], $now['below'] ), $before['below'] ) );
	if ( count( $moved ) > Rebake_Changes::MOST ) {
		return REBAKE_EVERYTHING;
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
	foreach ( $moved as $below ) { // The posts of these have links to them.
		$events[] = array(
			'type'      => 'term',
			'taxonomy'  => $before['taxonomy'],
			'id'        => $below,
			'action'    => 'edited',
			'links'     => rebake_links( array( $now['below'][ $below ] ?? '' ) ),
			'old_links' => array( $before['below'][ $below ] ),
			'archives'  => array(),
		);
	}
	if ( $before['links'] && $now['links'] && array( $before['name'], $before['links'] ) !== array( $now['name'], $now['links'] ) ) {
		$moved[] = (int) $id;
	}
	$events = array_merge( $events, rebake_menu_events( 'taxonomy', $before['taxonomy'], $moved ) );
	if ( 'edited' === $action && $now['links'] !== $before['links'] && false !== strpos( (string) get_option( 'permalink_structure' ), "%{$before['taxonomy']}%" ) ) {
		$events[] = array( 'type' => 'all' ); // The addresses of its posts hold its slug.
	}
	return $events;
}
