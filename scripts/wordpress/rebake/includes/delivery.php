<?php
/**
 * Sends what has changed when the request ends.
 *
 * Nobody waits for that. Where PHP can let the visitor go first (PHP-FPM,
 * LiteSpeed), it does. Elsewhere Rebake gets two seconds: it answers as soon as
 * it has noted the request, mostly within milliseconds. If it does not, no
 * other visitor waits for it until the next try is due, see includes/queue.php.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'shutdown', 'rebake_deliver', PHP_INT_MAX );

/**
 * Puts the changes of this request into the queue, and sends them.
 */
function rebake_deliver() {
	$all = Rebake_Changes::take();
	if ( ! $all ) {
		return;
	}
	$alone = rebake_let_go();
	foreach ( $all as $site => $changes ) {
		$switched = is_multisite() && get_current_blog_id() !== $site;
		if ( $switched ) {
			switch_to_blog( $site );
		}
		rebake_deliver_one( $changes, $alone );
		if ( $switched ) {
			restore_current_blog();
		}
	}
}

/**
 * Delivers the changes of the current site.
 *
 * @param Rebake_Changes $changes Of it.
 * @param bool           $alone   Whether nobody waits.
 */
function rebake_deliver_one( Rebake_Changes $changes, $alone ) {
	$events = $changes->events();
	if ( ! $events ) {
		return;
	}
	// Before it is sent: the process may be ended at any time.
	$row = rebake_queue_add( $events );
	if ( $alone ) {
		// While Rebake is away, PHP's processes are not held up by it for long.
		rebake_queue_send( rebake_queue_state()['failures'] ? 3 : 10, $row );
	} elseif ( rebake_queue_may_try() ) {
		rebake_queue_send( 2, $row );
	}
}

/**
 * Lets the visitor go, where that is possible.
 *
 * @return bool Whether nobody waits now.
 */
function rebake_let_go() {
	if ( wp_doing_cron() || 'cli' === PHP_SAPI ) {
		return true;
	}
	if ( PHP_SESSION_ACTIVE === session_status() ) {
		session_write_close(); // Or the next request of this visitor waits for it.
	}
	if ( function_exists( 'fastcgi_finish_request' ) ) {
		return fastcgi_finish_request();
	}
	if ( function_exists( 'litespeed_finish_request' ) ) {
		return litespeed_finish_request();
	}
	return false;
}
