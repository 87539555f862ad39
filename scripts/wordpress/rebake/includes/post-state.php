<?php
/**
 * What a post is like in public: where it is, and which pages list it.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * Whether everybody may see a post at an address of its own.
 *
 * @param WP_Post $post Any.
 */
function rebake_is_public( WP_Post $post ) {
	return 'attachment' !== $post->post_type && is_post_type_viewable( $post->post_type ) && is_post_status_viewable( $post->post_status );
}

/**
 * The address of a post, '' when it is not public.
 *
 * @param int $id Of the post.
 */
function rebake_public_link( $id ) {
	$post = get_post( $id );
	return $post && rebake_is_public( $post ) ? (string) get_permalink( $post ) : '';
}

/**
 * The state of a post. One that is not public has no addresses.
 *
 * @param WP_Post $post As it is, or was.
 */
function rebake_post_state( WP_Post $post ) {
	$state = array(
		'public'      => rebake_is_public( $post ),
		'type'        => $post->post_type,
		'status'      => $post->post_status,
		'author'      => (int) $post->post_author,
		'links'       => array(),
		'archives'    => array(),
		'terms'       => array(),
		'neighbours'  => array(),
		'descendants' => array(),
		'listed'      => '',
		'in_menus'    => rebake_post_in_menus( $post ),
	);
	if ( ! $state['public'] ) {
		return $state;
	}
	$terms                = rebake_post_terms( $post );
	$state['links']       = array( get_permalink( $post ) );
	$state['archives']    = rebake_post_archives( $post, $terms );
	$state['terms']       = array_map( 'rebake_term_name', $terms );
	$state['neighbours']  = rebake_post_neighbours( $post );
	$state['descendants'] = rebake_post_descendants( $post );
	// What lists show, or are ordered by.
	$state['listed'] = wp_json_encode(
		array( $post->post_date, $post->post_name, $post->post_title, $post->post_parent, $post->menu_order, '' === $post->post_password, is_sticky( $post->ID ), $state['terms'], $state['author'] )
	);
	return $state;
}

/**
 * The state of a post that is not there yet.
 */
function rebake_no_post_state() {
	return array(
		'public'      => false,
		'status'      => 'new',
		'links'       => array(),
		'archives'    => array(),
		'terms'       => array(),
		'neighbours'  => array(),
		'descendants' => array(),
		'listed'      => '',
		'in_menus'    => array(),
	);
}

/**
 * The terms of a post that have archives.
 *
 * @param WP_Post $post Any.
 * @return WP_Term[]
 */
function rebake_post_terms( WP_Post $post ) {
	$all = array();
	foreach ( get_object_taxonomies( $post->post_type ) as $taxonomy ) {
		$terms = is_taxonomy_viewable( $taxonomy ) ? get_the_terms( $post->ID, $taxonomy ) : array();
		if ( is_array( $terms ) ) {
			$all = array_merge( $all, $terms );
		}
	}
	return $all;
}

/**
 * The name that Rebake has for a term.
 *
 * @param WP_Term $term Any.
 */
function rebake_term_name( WP_Term $term ) {
	return $term->taxonomy . ':' . $term->term_id;
}

/**
 * The addresses of the pages that list a public post.
 *
 * @param WP_Post   $post  Any.
 * @param WP_Term[] $terms Of it.
 */
function rebake_post_archives( WP_Post $post, array $terms ) {
	$links = array( home_url( '/' ) );
	$list  = get_post_type_archive_link( $post->post_type );
	if ( home_url() !== $list ) { // Which posts have, without the slash.
		$links[] = $list;
	}
	foreach ( $terms as $term ) {
		$links = array_merge( $links, array( get_term_link( $term ) ), rebake_term_ancestors( $term ) );
	}
	foreach ( get_post_ancestors( $post ) as $id ) {
		$links[] = rebake_public_link( $id );
	}
	if ( 'post' === $post->post_type ) {
		$year    = (int) mysql2date( 'Y', $post->post_date, false );
		$month   = (int) mysql2date( 'n', $post->post_date, false );
		$day     = (int) mysql2date( 'j', $post->post_date, false );
		$links[] = get_author_posts_url( (int) $post->post_author );
		$links[] = get_year_link( $year );
		$links[] = get_month_link( $year, $month );
		$links[] = get_day_link( $year, $month, $day );
	}
	return rebake_links( $links );
}

/**
 * The addresses of the posts before and after a post, whose pages name it.
 *
 * @param WP_Post $post A public one.
 */
function rebake_post_neighbours( WP_Post $post ) {
	if ( is_post_type_hierarchical( $post->post_type ) ) {
		return array();
	}
	$links = array();
	foreach ( array(
		'before' => 'DESC',
		'after'  => 'ASC',
	) as $side => $order ) {
		$found = get_posts(
			array(
				'post_type'              => $post->post_type,
				'post_status'            => 'publish',
				'numberposts'            => 1,
				'exclude'                => array( $post->ID ),
				'date_query'             => array( array( $side => $post->post_date ) ),
				'orderby'                => 'date',
				'order'                  => $order,
				'update_post_meta_cache' => false,
			)
		);
		if ( $found ) {
			$links[] = get_permalink( $found[0] );
		}
	}
	return rebake_links( $links );
}

/**
 * The addresses of the public pages below a page, which begin with its own.
 *
 * @param WP_Post $post A public one.
 * @return string[] By their ids.
 */
function rebake_post_descendants( WP_Post $post ) {
	if ( ! is_post_type_hierarchical( $post->post_type ) ) {
		return array();
	}
	$links = array();
	$level = array( $post->ID );
	while ( $level && count( $links ) <= Rebake_Changes::MOST ) {
		$children = get_posts(
			array(
				'post_type'              => $post->post_type,
				'post_status'            => 'any',
				'post_parent__in'        => $level,
				'numberposts'            => Rebake_Changes::MOST + 1,
				'exclude'                => array_merge( array( $post->ID ), array_keys( $links ) ), // For parents that go round in a circle.
				'update_post_meta_cache' => false,
				'update_post_term_cache' => false,
			)
		);
		$level    = array();
		foreach ( $children as $child ) {
			$level[]             = $child->ID;
			$links[ $child->ID ] = rebake_public_link( $child->ID );
		}
	}
	return array_filter( $links );
}

/**
 * Leaves out what is no address, and what is there twice.
 *
 * @param array $links As WordPress' functions return them: '', false or an error is none.
 * @return string[]
 */
function rebake_links( array $links ) {
	return array_values( array_unique( array_filter( array_filter( $links, 'is_string' ), 'strlen' ) ) );
}
