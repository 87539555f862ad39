<?php
/**
 * Keeps events until Rebake has taken them.
 *
 * Each request puts its events into an option of its own, so that two at once
 * do not overwrite each other, and removes it when Rebake has answered. What is
 * left is merged and sent again by WP-Cron, less and less often, and with the
 * next change. Where a row cannot be written, its events are only sent.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/** The options' names begin so; then comes the time. */
const REBAKE_PENDING = 'rebake_pending_';

/** More rows than these become one that asks for everything. */
const REBAKE_MOST_PENDING = 300;

/** Likewise more bytes of them: PHP takes many times as many to read them. */
const REBAKE_MOST_PENDING_BYTES = 2097152;

/** The one event that stands for any others. */
const REBAKE_EVERYTHING = array( array( 'type' => 'all' ) );

/** The most events of one request. */
const REBAKE_MOST_EVENTS = 100;

add_action( 'rebake_retry', 'rebake_queue_send' );
add_action( 'rebake_sweep', 'rebake_queue_send' );
add_action( 'admin_init', 'rebake_start_cron' );
add_action( 'update_option_rebake_settings', 'rebake_queue_retry_now' );

/**
 * Puts events into the queue. What is too long for the database waits as one
 * that asks for everything.
 *
 * @param array[] $events At least one.
 * @return string The name of the row; '' when the database takes none.
 */
function rebake_queue_add( array $events ) {
	$row = REBAKE_PENDING . sprintf( '%017.6F', microtime( true ) ) . '_' . wp_generate_password( 8, false );
	foreach ( array( $events, REBAKE_EVERYTHING ) as $kept ) {
		if ( add_option( $row, wp_json_encode( $kept ), '', 'no' ) ) {
			return $row;
		}
	}
	return '';
}

/**
 * The rows that wait, the oldest first. See rebake_queue_bound() for too many.
 *
 * @return array[][] Lists of events by the rows' names.
 */
function rebake_queue_rows() {
	global $wpdb;
	$all = rebake_queue_bound();
	if ( null !== $all ) {
		return array( $all => REBAKE_EVERYTHING );
	}
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- there is no other way to ask for options by what their names begin with.
	$found = $wpdb->get_results( $wpdb->prepare( "SELECT option_name, option_value FROM {$wpdb->options} WHERE option_name LIKE %s ORDER BY option_name LIMIT %d", $wpdb->esc_like( REBAKE_PENDING ) . '%', 2 * REBAKE_MOST_PENDING ) );
	$rows  = array();
	foreach ( $found as $row ) {
		$events                    = json_decode( $row->option_value, true );
		$rows[ $row->option_name ] = is_array( $events ) ? $events : REBAKE_EVERYTHING;
	}
	return $rows;
}

/**
 * Sends what waits.
 *
 * @param float   $timeout Of one request, in seconds.
 * @param array[] $events  Of this request; others that are as new are sent by
 *                         the requests that made them. None for cron.
 * @param string  $own     The row that has them; '' when none could be written.
 * @return string The kind of the result, see rebake_explain(); "ok" also when nothing waits.
 */
function rebake_queue_send( $timeout = 10, array $events = array(), $own = '' ) {
	$timeout = $timeout ? (float) $timeout : 10; // do_action passes '' when it has nothing to pass.
	$rows    = rebake_queue_rows();
	$state   = rebake_queue_state();
	if ( $events ) {
		$rows         = $state['failures'] ? $rows : rebake_queue_mine( $rows, $own );
		$rows[ $own ] = $events;
	}
	if ( ! $rows ) {
		return 'ok';
	}
	$events = rebake_merge( array_merge( ...array_values( $rows ) ) );
	foreach ( array_chunk( $events, REBAKE_MOST_EVENTS ) as $chunk ) {
		$result = rebake_send( array( 'events' => $chunk ), $timeout );
		if ( 'rejected' === $result['kind'] && REBAKE_EVERYTHING !== $chunk ) {
			// It will never take this; ask for everything instead of forgetting it.
			$result = rebake_send( array( 'events' => REBAKE_EVERYTHING ), $timeout );
		}
		if ( 'ok' !== $result['kind'] ) {
			rebake_queue_failed( $result );
			return $result['kind'];
		}
	}
	array_map( 'delete_option', array_keys( $rows ) );
	rebake_queue_delivered();
	return 'ok';
}

/**
 * Of more rows than the queue holds makes one that asks for everything. It
 * reads none of them, since they may not fit into PHP's memory.
 *
 * @return string|null The name of that row; '' when it could not be written, so
 *                     that the others stay; null when the queue holds them.
 */
function rebake_queue_bound() {
	global $wpdb;
	$like = $wpdb->esc_like( REBAKE_PENDING ) . '%';
	// phpcs:disable WordPress.DB.DirectDatabaseQuery -- there is no other way to ask for options by what their names begin with.
	$waiting = $wpdb->get_row( $wpdb->prepare( "SELECT COUNT(*) AS number, SUM( LENGTH( option_value ) ) AS bytes FROM {$wpdb->options} WHERE option_name LIKE %s", $like ) );
	if ( ! $waiting || ( $waiting->number <= REBAKE_MOST_PENDING && $waiting->bytes <= REBAKE_MOST_PENDING_BYTES ) ) {
		return null;
	}
	$all = rebake_queue_add( REBAKE_EVERYTHING );
	if ( '' !== $all ) {
		$older = $wpdb->get_col( $wpdb->prepare( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s AND option_name < %s", $like, $all ) );
		$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->options} WHERE option_name LIKE %s AND option_name < %s", $like, $all ) );
		wp_cache_delete_multiple( $older, 'options' );
	}
	// phpcs:enable
	return $all;
}

/**
 * The rows that this request has to send: its own, what a request that has died
 * has left, and one for everything, which may stand for its own.
 *
 * @param array[][] $rows Of rebake_queue_rows().
 * @param string    $own  The name of its row.
 */
function rebake_queue_mine( array $rows, $own ) {
	$left = REBAKE_PENDING . sprintf( '%017.6F', microtime( true ) - MINUTE_IN_SECONDS );
	foreach ( array_keys( $rows ) as $row ) {
		if ( $row !== $own && strcmp( $row, $left ) > 0 && REBAKE_EVERYTHING !== $rows[ $row ] ) {
			unset( $rows[ $row ] );
		}
	}
	return $rows;
}

/**
 * How deliveries have gone lately.
 *
 * @return array {
 *     @type int   $failures In a row.
 *     @type int   $since    When the first of them was; 0 for none.
 *     @type int   $next     When the next try is due; 0 for at once.
 *     @type int   $ok       When the last one succeeded; 0 for never.
 *     @type array $last     What went wrong, of rebake_send().
 * }
 */
function rebake_queue_state() {
	$state = get_option( 'rebake_state' );
	return ( is_array( $state ) ? $state : array() ) + array(
		'failures' => 0,
		'since'    => 0,
		'next'     => 0,
		'ok'       => 0,
		'last'     => array(),
	);
}

/**
 * Whether a visitor may wait for a try: not while the last one failed.
 */
function rebake_queue_may_try() {
	return time() >= rebake_queue_state()['next'];
}

/**
 * Notes a failure, and when to try again.
 *
 * @param array $result Of rebake_send().
 */
function rebake_queue_failed( array $result ) {
	$state    = rebake_queue_state();
	$pauses   = array( 30, 60, 120, 300, 600 );
	$next     = time() + $pauses[ min( $state['failures'], count( $pauses ) - 1 ) ];
	$failures = $state['failures'] + 1;
	unset( $result['answer'] );
	update_option(
		'rebake_state',
		array(
			'failures' => $failures,
			'since'    => $state['since'] ? $state['since'] : time(),
			'next'     => $next,
			'last'     => $result,
		) + $state
	);
	wp_clear_scheduled_hook( 'rebake_retry' );
	wp_schedule_single_event( $next, 'rebake_retry' );
}

/**
 * Has WP-Cron send what waits.
 */
function rebake_queue_later() {
	wp_clear_scheduled_hook( 'rebake_retry' );
	wp_schedule_single_event( time(), 'rebake_retry' );
}

/**
 * Notes a success.
 */
function rebake_queue_delivered() {
	if ( rebake_queue_state()['failures'] ) {
		wp_clear_scheduled_hook( 'rebake_retry' );
	}
	update_option( 'rebake_state', array( 'ok' => time() ) );
}

/**
 * Tries again soon, since something may be right now: the settings have changed.
 */
function rebake_queue_retry_now() {
	$state = rebake_queue_state();
	if ( $state['failures'] ) {
		update_option( 'rebake_state', array( 'next' => 0 ) + $state );
		rebake_queue_later();
	}
}

/**
 * Looks every hour for what a request that has died has left.
 */
function rebake_start_cron() {
	if ( ! wp_next_scheduled( 'rebake_sweep' ) ) {
		wp_schedule_event( time() + HOUR_IN_SECONDS, 'hourly', 'rebake_sweep' );
	}
}

/**
 * Ends that, with the plugin.
 */
function rebake_stop_cron() {
	wp_clear_scheduled_hook( 'rebake_sweep' );
	wp_clear_scheduled_hook( 'rebake_retry' );
}
