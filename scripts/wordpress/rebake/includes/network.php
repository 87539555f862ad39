<?php
/**
 * The sites of a network that something is about which they share: plugins,
 * themes, WordPress itself, and users.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/** Of a network with more sites, the others are not told. */
const REBAKE_MOST_SITES = 500;

/**
 * Does something on each of some sites that this plugin works on.
 *
 * @param int[]    $sites Their ids. The current one is always among them.
 * @param callable $note  What is done there.
 */
function rebake_on_sites( array $sites, callable $note ) {
	$here = get_current_blog_id();
	call_user_func( $note );
	foreach ( array_slice( array_diff( array_unique( array_map( 'intval', $sites ) ), array( $here ) ), 0, REBAKE_MOST_SITES ) as $site ) {
		switch_to_blog( $site );
		if ( rebake_works_here() ) {
			call_user_func( $note );
		}
		restore_current_blog();
	}
}

/**
 * Whether this plugin works on the current site.
 */
function rebake_works_here() {
	$plugin = plugin_basename( REBAKE_FILE );
	return in_array( $plugin, (array) get_option( 'active_plugins' ), true ) || isset( ( (array) get_site_option( 'active_sitewide_plugins' ) )[ $plugin ] );
}

/**
 * The sites of the network; the current one where there is none.
 *
 * @return int[]
 */
function rebake_network_sites() {
	return is_multisite() ? get_sites(
		array(
			'fields'     => 'ids',
			'network_id' => get_current_network_id(),
			'number'     => REBAKE_MOST_SITES + 1,
			'archived'   => 0,
			'spam'       => 0,
			'deleted'    => 0,
		)
	) : array( get_current_blog_id() );
}

/**
 * The sites that a user may have written for.
 *
 * @param int $id Of the user.
 * @return int[]
 */
function rebake_user_sites( $id ) {
	return is_multisite() ? array_map( 'intval', wp_list_pluck( get_blogs_of_user( $id ), 'userblog_id' ) ) : array( get_current_blog_id() );
}
