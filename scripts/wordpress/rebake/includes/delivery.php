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
 * Delivers the changes of this request, and looks again after all that others
 * still do: the functions that they have registered for its end come later.
 */
function rebake_deliver() {
	rebake_deliver_changes();
	register_shutdown_function( 'rebake_deliver_changes' );
}

/**
 * Puts what has changed into the queue, and sends it.
 */
function rebake_deliver_changes() {
	$all = Rebake_Changes::take();
	if ( ! $all ) {
		return;
	}
	rebake_take_memory();
	$alone = rebake_let_go();
	$until = time() + 10; // For a network of many sites, of which each has its own Rebake.
	foreach ( $all as $site => $changes ) {
		$switched = is_multisite() && get_current_blog_id() !== $site;
		if ( $switched ) {
			switch_to_blog( $site );
		}
		try {
			rebake_deliver_one( $changes, $alone, time() > $until );
		} catch ( Throwable $error ) { // Of others' filters. The other sites have changes too.
			rebake_log( $error );
		}
		if ( $switched ) {
			restore_current_blog();
		}
	}
}

/**
 * Lets PHP have some memory more, where there is little left: a request that
 * has run out of it has saved what it has saved.
 */
function rebake_take_memory() {
	$need  = 16 * MB_IN_BYTES;
	$used  = memory_get_usage( true );
	$limit = wp_convert_hr_to_bytes( (string) ini_get( 'memory_limit' ) );
	if ( $limit > 0 && $limit < $used + $need && function_exists( 'ini_set' ) ) {
		ini_set( 'memory_limit', (string) ( $used + 2 * $need ) ); // phpcs:ignore WordPress.PHP.IniSet.memory_limit_Disallowed -- it only grows.
	}
}

/**
 * Notes where PHP notes its errors what went wrong in the code of others.
 *
 * @param Throwable $error Of it.
 */
function rebake_log( Throwable $error ) {
	error_log( "Rebake, while it looked at an edit: $error" ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions.error_log_error_log -- the answer is out.
}

/**
 * Delivers the changes of the current site.
 *
 * @param Rebake_Changes $changes Of it.
 * @param bool           $alone   Whether nobody waits.
 * @param bool           $late    Whether other sites have taken all the time.
 */
function rebake_deliver_one( Rebake_Changes $changes, $alone, $late = false ) {
	$events = $changes->events();
	if ( ! $events ) {
		return;
	}
	// Before it is sent: the process may be ended at any time.
	$row = rebake_queue_add( $events );
	if ( $late && '' !== $row ) {
		rebake_queue_later();
	} elseif ( $alone ) {
		// While Rebake is away, PHP's processes are not held up by it for long.
		rebake_queue_send( rebake_queue_state()['failures'] ? 3 : 10, $events, $row );
	} elseif ( '' === $row || rebake_queue_may_try() ) {
		rebake_queue_send( 2, $events, $row );
	} else {
		rebake_queue_bound();
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
