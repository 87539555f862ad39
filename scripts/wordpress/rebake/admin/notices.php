<?php
/**
 * Tells administrators that Rebake does not hear of edits.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'admin_notices', 'rebake_show_notice' );

/**
 * Shows the notice. What may pass by itself gets five minutes to do so.
 */
function rebake_show_notice() {
	$screen = get_current_screen();
	if ( ! $screen || ! current_user_can( 'manage_options' ) || 'settings_page_rebake' === $screen->id ) {
		return;
	}
	$state = rebake_queue_state();
	$text  = '';
	if ( ! rebake_is_configured() ) {
		$text = 'plugins' === $screen->id ? __( 'Rebake does not hear of edits yet: the address and the secret are missing.', 'rebake' ) : '';
	} elseif ( $state['failures'] && ( ! in_array( $state['last']['kind'] ?? '', array( 'refused', 'timeout', 'busy', 'unreachable' ), true ) || time() - $state['since'] > 5 * MINUTE_IN_SECONDS ) ) {
		/* translators: 1: a time span like "5 minutes", 2: sentences that say why. */
		$text = sprintf( __( 'Rebake has not heard of edits for %1$s, so public pages may be old. %2$s Nothing is lost: the edits wait.', 'rebake' ), human_time_diff( $state['since'] ), rebake_explain( $state['last'] ) );
	}
	if ( '' !== $text ) {
		printf( '<div class="notice notice-error"><p>%s <a href="%s">%s</a></p></div>', esc_html( $text ), esc_url( admin_url( 'options-general.php?page=rebake' ) ), esc_html__( 'Settings of Rebake', 'rebake' ) );
	}
}
