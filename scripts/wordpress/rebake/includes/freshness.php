<?php
/**
 * Asks Rebake about the public page of a post, and asks it to make one anew.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * Whether the public page of a post is fresh.
 *
 * @param WP_Post $post Any.
 * @return array {
 *     @type string $state  "fresh", "stale", "retrying", "failed", "gone" or "unknown" as Rebake says it;
 *                          "hidden" for a post that is not public; "away" when Rebake does not answer.
 *     @type string $word   The same for a person, in a word or two.
 *     @type string $label  The same in a sentence.
 *     @type string $detail More about it, may be ''.
 * }
 */
function rebake_freshness( WP_Post $post ) {
	if ( ! rebake_is_public( $post ) ) {
		return rebake_freshness_of( 'hidden' );
	}
	$link   = get_permalink( $post );
	$result = rebake_send( array( 'ask' => array( $link ) ), 3 );
	if ( 'ok' !== $result['kind'] ) {
		return rebake_freshness_of( 'away', rebake_explain_to_user( $result ) );
	}
	$page = $result['answer']['pages'][0] ?? array();
	$made = strtotime( (string) ( $page['at'] ?? '' ) );
	$told = array( isset( $page['reason'] ) && current_user_can( 'manage_options' ) ? (string) $page['reason'] : '' ); // It may name a host that only administrators know.
	if ( $made > 0 ) {
		/* translators: %s: a time span like "5 minutes". */
		array_unshift( $told, sprintf( __( 'Last looked at %s ago.', 'rebake' ), human_time_diff( $made ) ) );
	}
	return rebake_freshness_of( (string) ( $page['freshness'] ?? 'unknown' ), trim( implode( ' ', $told ) ) );
}

/**
 * A state with its words, see rebake_freshness().
 *
 * @param string $state  Of the page.
 * @param string $detail More about it.
 */
function rebake_freshness_of( $state, $detail = '' ) {
	$words = array(
		'fresh'    => array( __( 'up to date', 'rebake' ), __( 'The public page is up to date.', 'rebake' ) ),
		'stale'    => array( __( 'on its way', 'rebake' ), __( 'The public page is being made anew.', 'rebake' ) ),
		'retrying' => array( __( 'late', 'rebake' ), __( 'The public page is older than this; the last try failed, and more will follow.', 'rebake' ) ),
		'failed'   => array( __( 'old', 'rebake' ), __( 'The public page is older than this, and Rebake has given up.', 'rebake' ) ),
		'gone'     => array( __( 'no page', 'rebake' ), __( 'There is no public page.', 'rebake' ) ),
		'unknown'  => array( __( 'no page yet', 'rebake' ), __( 'There is no page yet. The first visitor, or a trigger, makes it.', 'rebake' ) ),
		'hidden'   => array( __( 'not public', 'rebake' ), __( 'This is not public, so it has no page.', 'rebake' ) ),
		'away'     => array( __( 'away', 'rebake' ), __( 'Rebake could not be asked.', 'rebake' ) ),
	);
	$state = isset( $words[ $state ] ) ? $state : 'unknown';
	return array(
		'state'  => $state,
		'word'   => $words[ $state ][0],
		'label'  => $words[ $state ][1],
		'detail' => $detail,
	);
}

/**
 * Asks for pages by hand. Whoever asks waits for the answer, so what fails is
 * told and not queued.
 *
 * @param string[] $links Of the pages; none for all.
 * @return array Of rebake_send().
 */
function rebake_by_hand( array $links ) {
	$event = $links ? array(
		'type'  => 'manual',
		'links' => $links,
	) : array( 'type' => 'all' );
	return rebake_send( array( 'events' => array( $event ) ), 5 );
}
