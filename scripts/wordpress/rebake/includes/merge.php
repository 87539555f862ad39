<?php
/**
 * Makes one event of several about the same thing.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * Merges events. Of each thing the oldest says what it was like, and the newest
 * what it is like now. Addresses that it had in between count as old ones.
 *
 * @param array[] $events The oldest first.
 * @return array[]
 */
function rebake_merge( array $events ) {
	$merged = array();
	foreach ( $events as $event ) {
		$key            = rebake_event_key( $event );
		$merged[ $key ] = isset( $merged[ $key ] ) ? rebake_merge_two( $merged[ $key ], $event ) : $event;
	}
	return array_values( $merged );
}

/**
 * What an event is about.
 *
 * @param array $event As Rebake reads it.
 */
function rebake_event_key( array $event ) {
	$about = array( $event['type'], $event['taxonomy'] ?? '', $event['id'] ?? '', $event['what'] ?? '', 'manual' === $event['type'] ? $event['links'] : array() );
	return wp_json_encode( $about );
}

/**
 * Merges two events about one thing.
 *
 * @param array $first  The older one.
 * @param array $second The newer one.
 */
function rebake_merge_two( array $first, array $second ) {
	$merged = $second;
	foreach ( array( 'old_status', 'old_author' ) as $key ) {
		if ( isset( $first[ $key ] ) ) {
			$merged[ $key ] = $first[ $key ];
		}
	}
	foreach ( array( 'links', 'archives', 'terms', 'descendants' ) as $now ) {
		$old = "old_$now";
		if ( isset( $second[ $old ] ) ) {
			$merged[ $old ] = rebake_links( array_merge( $first[ $old ] ?? array(), $first[ $now ] ?? array(), $second[ $old ] ) );
		} elseif ( isset( $second[ $now ] ) ) {
			$merged[ $now ] = rebake_links( array_merge( $first[ $now ] ?? array(), $second[ $now ] ) );
		}
	}
	if ( isset( $second['listed'] ) ) {
		$merged['listed'] = $second['listed'] || ! empty( $first['listed'] );
	}
	if ( isset( $second['action'] ) && 'edited' === $second['action'] && 'created' === ( $first['action'] ?? '' ) ) {
		$merged['action'] = 'created';
	}
	return $merged;
}
