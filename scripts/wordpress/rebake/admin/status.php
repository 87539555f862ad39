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
 * Names a few events for a person: "post 12, comment 4 on post 12 and 3 more".
 *
 * @param array[] $events At least one.
 */
function rebake_name_events( array $events ) {
	$names = array();
	foreach ( array_slice( $events, 0, 5 ) as $event ) {
		$names[] = rebake_name_event( $event );
	}
	$more = count( $events ) - count( $names );
	$list = implode( ', ', $names );
	/* translators: 1: a list, 2: how many more there are. */
	return $more ? sprintf( _n( '%1$s and %2$d more', '%1$s and %2$d more', $more, 'rebake' ), $list, $more ) : $list;
}

/**
 * Names one event for a person.
 *
 * @param array $event As Rebake reads it.
 */
function rebake_name_event( array $event ) {
	$id = $event['id'] ?? '';
	switch ( $event['type'] ) {
		case 'comment':
			/* translators: 1: number of the comment, 2: type of post, 3: number of the post. */
			return sprintf( __( 'comment %1$s on %2$s %3$s', 'rebake' ), $id, $event['post_type'] ?? 'post', $event['post'] ?? '?' );
		case 'site':
			return rebake_name_part( (string) ( $event['what'] ?? '' ) );
		case 'all':
			return __( 'all pages', 'rebake' );
		case 'manual':
			return implode( ', ', $event['links'] ?? array() );
	}
	return trim( ( $event['post_type'] ?? $event['taxonomy'] ?? $event['type'] ) . ' ' . $id );
}

/**
 * Names what all pages show.
 *
 * @param string $what See rebake_note_site().
 */
function rebake_name_part( $what ) {
	list( $kind, $name ) = explode( ':', $what, 2 ) + array( '', '' );
	switch ( '' === $name ? '' : $kind ) {
		case '':
			return '' === $what ? __( 'all pages', 'rebake' ) : $what;
		case 'option':
			/* translators: %s: name of a setting. */
			return sprintf( __( 'setting %s', 'rebake' ), $name );
		case 'update':
			/* translators: %s: "core", "plugin" or "theme". */
			return sprintf( __( 'update of %s', 'rebake' ), $name );
	}
	return "$kind $name";
}
