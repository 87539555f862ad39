<?php
/**
 * Removes all that the plugin has saved, on every site of a network.
 *
 * @package Rebake
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

/**
 * Removes what the plugin has saved on the current site.
 */
function rebake_uninstall_site() {
	global $wpdb;
	wp_clear_scheduled_hook( 'rebake_sweep' );
	wp_clear_scheduled_hook( 'rebake_retry' );
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- there is no other way to ask for options by what their names begin with.
	$names = $wpdb->get_col( $wpdb->prepare( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s OR option_name LIKE %s OR option_name LIKE %s", $wpdb->esc_like( 'rebake_' ) . '%', $wpdb->esc_like( '_transient_rebake_' ) . '%', $wpdb->esc_like( '_transient_timeout_rebake_' ) . '%' ) );
	array_map( 'delete_option', $names );
}

if ( is_multisite() ) {
	foreach ( get_sites(
		array(
			'fields' => 'ids',
			'number' => 0,
		)
	) as $rebake_site ) {
		switch_to_blog( $rebake_site );
		rebake_uninstall_site();
		restore_current_blog();
	}
} else {
	rebake_uninstall_site();
}
