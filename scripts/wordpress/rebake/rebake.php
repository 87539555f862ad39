<?php
/**
 * Plugin Name:       Rebake
 * Description:       Tells Rebake what has changed, so that the static pages of this site are rendered again within seconds.
 * Version:           0.1.0
 * Requires at least: 6.0
 * Requires PHP:      7.4
 * Author:            The Rebake authors
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       rebake
 *
 * The way of a change: the hooks in includes/posts.php and its neighbours note
 * what something was like before it changed (class-rebake-changes.php). When
 * the request ends, includes/delivery.php compares that with what it is like
 * now, and sends both in one signed request (includes/client.php). What cannot
 * be delivered waits in includes/queue.php. Pages say which posts they show, and
 * how old they are (includes/shown.php), so that Rebake notices an old one.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

define( 'REBAKE_VERSION', '0.1.0' );
define( 'REBAKE_FILE', __FILE__ );

require_once __DIR__ . '/includes/settings.php';
require_once __DIR__ . '/includes/client.php';
require_once __DIR__ . '/includes/explain.php';
require_once __DIR__ . '/includes/class-rebake-changes.php';
require_once __DIR__ . '/includes/network.php';
require_once __DIR__ . '/includes/menus.php';
require_once __DIR__ . '/includes/post-state.php';
require_once __DIR__ . '/includes/post-event.php';
require_once __DIR__ . '/includes/posts.php';
require_once __DIR__ . '/includes/meta.php';
require_once __DIR__ . '/includes/media.php';
require_once __DIR__ . '/includes/terms.php';
require_once __DIR__ . '/includes/users.php';
require_once __DIR__ . '/includes/comments.php';
require_once __DIR__ . '/includes/site.php';
require_once __DIR__ . '/includes/merge.php';
require_once __DIR__ . '/includes/queue.php';
require_once __DIR__ . '/includes/delivery.php';
require_once __DIR__ . '/includes/freshness.php';
require_once __DIR__ . '/includes/shown.php';
require_once __DIR__ . '/includes/rest.php';
require_once __DIR__ . '/admin/bar.php';
if ( is_admin() ) {
	require_once __DIR__ . '/admin/settings-page.php';
	require_once __DIR__ . '/admin/status.php';
	require_once __DIR__ . '/admin/tools-page.php';
	require_once __DIR__ . '/admin/notices.php';
	require_once __DIR__ . '/admin/panel.php';
}

register_deactivation_hook( __FILE__, 'rebake_stop_cron' );
