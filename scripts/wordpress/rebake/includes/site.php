<?php
/**
 * Hooks for what all pages show: menus, theme, settings, plugins.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'wp_update_nav_menu', 'rebake_note_menu' );
add_action( 'wp_delete_nav_menu', 'rebake_note_menu' );
add_action( 'wp_update_nav_menu_item', 'rebake_note_menu_item', 10, 2 );
add_action( 'switch_theme', 'rebake_note_theme' );
add_action( 'customize_save_after', 'rebake_note_customizer' );
add_action( 'upgrader_process_complete', 'rebake_note_upgrade', 10, 2 );
add_action( 'activated_plugin', 'rebake_note_plugin', 10, 2 );
add_action( 'deactivated_plugin', 'rebake_note_plugin', 10, 2 );
add_action( 'added_option', 'rebake_note_option' );
add_action( 'updated_option', 'rebake_note_option' );
add_action( 'deleted_option', 'rebake_note_option' );
add_action( 'rebake_site_changed', 'rebake_note_site' ); // For other plugins to call.

/**
 * Notes that something has changed which may be on every page.
 *
 * @param string $what A name for people.
 */
function rebake_note_site( $what ) {
	Rebake_Changes::here()->note( 'site', $what, '__return_empty_array' );
}

/**
 * Notes the same on all sites of a network.
 *
 * @param string $what A name for people.
 */
function rebake_note_sites( $what ) {
	rebake_on_sites(
		rebake_network_sites(),
		static function () use ( $what ) {
			rebake_note_site( $what );
		}
	);
}

/**
 * The event of such a change.
 *
 * @param string $what A name for people.
 */
function rebake_site_events( $what ) {
	return array(
		array(
			'type' => 'site',
			'what' => (string) $what,
		),
	);
}

/**
 * Which part of all pages a type of posts stands for; '' for none.
 *
 * @param string $type A post type.
 */
function rebake_site_part( $type ) {
	$parts = array(
		'nav_menu_item'    => 'menu',
		'wp_navigation'    => 'menu',
		'wp_template'      => 'template',
		'wp_template_part' => 'template',
		'wp_global_styles' => 'styles',
		'custom_css'       => 'styles',
		'wp_block'         => 'block',
	);
	return $parts[ $type ] ?? '';
}

/**
 * Notes a menu.
 */
function rebake_note_menu() {
	rebake_note_site( 'menu' );
}

/**
 * Notes an item of a menu; one that is not saved yet belongs to menu 0.
 *
 * @param int $menu Of the menu.
 * @param int $item Of the item.
 */
function rebake_note_menu_item( $menu, $item = 0 ) {
	if ( $item && 'publish' === get_post_status( $item ) ) {
		rebake_note_site( 'menu' );
	}
}

/**
 * Notes another theme.
 */
function rebake_note_theme() {
	rebake_note_site( 'theme' );
}

/**
 * Notes what the customizer has saved.
 */
function rebake_note_customizer() {
	rebake_note_site( 'customizer' );
}

/**
 * Notes an update of WordPress, of a plugin or of the theme.
 *
 * @param WP_Upgrader $upgrader What has done it.
 * @param array       $about    Its type.
 */
function rebake_note_upgrade( $upgrader, $about = array() ) {
	$type = is_array( $about ) ? (string) ( $about['type'] ?? '' ) : '';
	if ( 'translation' !== $type ) {
		rebake_note_sites( "update:$type" ); // All of them share its files.
	}
}

/**
 * Notes a plugin that begins, or ends, to work.
 *
 * @param string $plugin   Its file.
 * @param bool   $on_sites Whether it does on all sites of a network.
 */
function rebake_note_plugin( $plugin, $on_sites = false ) {
	if ( ! is_string( $plugin ) || plugin_basename( REBAKE_FILE ) === $plugin ) {
		return;
	}
	$what = 'plugin:' . dirname( $plugin );
	if ( $on_sites ) {
		rebake_note_sites( $what );
	} else {
		rebake_note_site( $what );
	}
}

/**
 * Notes a setting that pages show. Only values that differ come here.
 *
 * @param string $name Of the option.
 */
function rebake_note_option( $name ) {
	$name = is_scalar( $name ) ? (string) $name : '';
	if ( array( '_multiwidget' => 1 ) === get_option( $name ) ) {
		return; // A kind of widget of which there is none.
	}
	if ( rebake_is_look() && preg_match( '/^(theme_mods_|widget_|sidebars_widgets$)/', $name ) ) {
		return; // WordPress and themes set these up when somebody first looks at the site, or at an editor.
	}
	/**
	 * Filters the options that all pages may show.
	 *
	 * @param string[] $options Names; one that ends with * stands for all that begin so.
	 */
	foreach ( (array) apply_filters( 'rebake_site_options', rebake_site_options() ) as $watched ) {
		if ( $name === $watched || ( '*' === substr( $watched, -1 ) && 0 === strpos( $name, substr( $watched, 0, -1 ) ) ) ) {
			rebake_note_site( "option:$name" );
			return;
		}
	}
}

/**
 * The options that all pages may show, of WordPress itself.
 */
function rebake_site_options() {
	return array(
		'blogname',
		'blogdescription',
		'site_icon',
		'site_logo',
		'home',
		'siteurl',
		'blog_public',
		'blog_charset',
		'WPLANG',
		'date_format',
		'time_format',
		'timezone_string',
		'gmt_offset',
		'start_of_week',
		'permalink_structure',
		'category_base',
		'tag_base',
		'show_on_front',
		'page_on_front',
		'page_for_posts',
		'wp_page_for_privacy_policy',
		'posts_per_page',
		'posts_per_rss',
		'rss_use_excerpt',
		'default_ping_status',
		'comment_registration',
		'require_name_email',
		'thread_comments',
		'thread_comments_depth',
		'page_comments',
		'comments_per_page',
		'default_comments_page',
		'comment_order',
		'close_comments_for_old_posts',
		'close_comments_days_old',
		'show_avatars',
		'avatar_default',
		'avatar_rating',
		'users_can_register',
		'sidebars_widgets',
		'widget_*',
		'theme_mods_*',
	);
}
