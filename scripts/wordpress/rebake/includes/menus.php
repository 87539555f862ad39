<?php
/**
 * What menus, which most pages have, show of posts and terms: a link and a name.
 * WordPress looks both up whenever it prints a menu.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * What menus show of a post. They show drafts too, and not what is in the trash.
 *
 * @param WP_Post $post Any.
 */
function rebake_post_in_menus( WP_Post $post ) {
	return array( get_permalink( $post ), $post->post_title, 'trash' === $post->post_status );
}

/**
 * The event of menus that show one of these things.
 *
 * @param string $kind "post_type" or "taxonomy".
 * @param string $name Of that type or taxonomy.
 * @param int[]  $ids  Of the posts or terms.
 * @return array[] None where no menu does.
 */
function rebake_menu_events( $kind, $name, array $ids ) {
	if ( ! $ids ) {
		return array();
	}
	$items = get_posts(
		array(
			'post_type'              => 'nav_menu_item',
			'post_status'            => 'publish',
			'fields'                 => 'ids',
			'numberposts'            => 1,
			'update_post_meta_cache' => false,
			'update_post_term_cache' => false,
			'meta_query'             => array( // phpcs:ignore WordPress.DB.SlowDBQuery.slow_db_query_meta_query -- WordPress' own way, and seldom.
				array(
					'key'   => '_menu_item_type',
					'value' => $kind,
				),
				array(
					'key'   => '_menu_item_object',
					'value' => $name,
				),
				array(
					'key'     => '_menu_item_object_id',
					'value'   => array_map( 'strval', $ids ),
					'compare' => 'IN',
				),
			),
		)
	);
	return $items ? rebake_site_events( 'menu' ) : array();
}
