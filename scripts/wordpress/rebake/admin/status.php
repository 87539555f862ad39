<?php
/**
 * How deliveries go, below the settings.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * Shows what was delivered, what waits, and a button.
 */
function rebake_show_status() {
	$state   = rebake_queue_state();
	$waiting = rebake_merge( array_merge( array(), ...array_values( rebake_queue_rows() ) ) );
	$rows    = array(
		__( 'Requests go to', 'rebake' )      => rebake_endpoint(),
		/* translators: %s: a time span like "5 minutes". */
		__( 'Last edit accepted', 'rebake' )  => $state['ok'] ? sprintf( __( '%s ago', 'rebake' ), human_time_diff( $state['ok'] ) ) : __( 'none yet; a test is no edit', 'rebake' ),
		__( 'Waiting to be sent', 'rebake' )  => $waiting ? rebake_name_events( $waiting ) : __( 'nothing', 'rebake' ),
	);
	if ( $state['failures'] ) {
		$rows[ __( 'What is wrong', 'rebake' ) ] = rebake_explain( $state['last'] );
		/* translators: %s: a time span like "5 minutes". */
		$rows[ __( 'Next try', 'rebake' ) ] = $state['next'] > time() ? sprintf( __( 'in %s, or with the next test', 'rebake' ), human_time_diff( $state['next'] ) ) : __( 'as soon as WP-Cron runs, or with the next test', 'rebake' );
	}
	echo '<h2>' . esc_html__( 'Deliveries', 'rebake' ) . '</h2><table class="form-table" role="presentation">';
	foreach ( $rows as $name => $value ) {
		printf( '<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html( $name ), esc_html( $value ) );
	}
	echo '</table><form action="' . esc_url( admin_url( 'admin-post.php' ) ) . '" method="post"><input type="hidden" name="action" value="rebake_test">';
	wp_nonce_field( 'rebake_test' );
	submit_button( __( 'Send a test', 'rebake' ), 'secondary', 'submit', false );
	echo '</form>';
}

/**
 * Names a few events for a person: "post 12, category 4 and 3 more".
 *
 * @param array[] $events At least one.
 */
function rebake_name_events( array $events ) {
	$names = array();
	foreach ( array_slice( $events, 0, 5 ) as $event ) {
		$names[] = trim( ( $event['post_type'] ?? $event['taxonomy'] ?? $event['type'] ) . ' ' . ( $event['id'] ?? $event['what'] ?? '' ) );
	}
	$more = count( $events ) - count( $names );
	$list = implode( ', ', $names );
	/* translators: 1: a list, 2: how many more there are. */
	return $more ? sprintf( _n( '%1$s and %2$d more', '%1$s and %2$d more', $more, 'rebake' ), $list, $more ) : $list;
}
