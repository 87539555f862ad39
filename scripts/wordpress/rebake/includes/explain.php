<?php
/**
 * Says to a person what became of a request, and what to do about it.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * A sentence or two about a result, as plain text.
 *
 * @param array $result Of rebake_send().
 */
function rebake_explain( array $result ) {
	$parts = wp_parse_url( rebake_endpoint() );
	$parts = is_array( $parts ) ? $parts : array();
	$host  = ( $parts['host'] ?? '' ) . ( isset( $parts['port'] ) ? ':' . $parts['port'] : '' );
	switch ( $result['kind'] ) {
		case 'ok':
			return __( 'Rebake has answered, and takes the signature.', 'rebake' );
		case 'foreign':
			/* translators: %s: what Rebake said. */
			return sprintf( __( 'Rebake has answered, and takes the signature, but edits would change nothing. %s', 'rebake' ), $result['detail'] );
		case 'unset':
			return __( 'The address or the secret is missing.', 'rebake' );
		case 'address':
			return __( 'The address is none: it has to begin with http:// or https:// and a host.', 'rebake' );
		case 'blocked':
			/* translators: 1: constant, 2: constant, 3: host. */
			return sprintf( __( 'WordPress itself did not let the request out, since %1$s is set in wp-config.php. Add %3$s to %2$s there.', 'rebake' ), 'WP_HTTP_BLOCK_EXTERNAL', 'WP_ACCESSIBLE_HOSTS', $parts['host'] ?? '' );
		case 'refused':
			/* translators: 1: host and port, 2: command. */
			return sprintf( __( 'Nothing listens at %1$s. Is "%2$s" running, and is this its "listen" address?', 'rebake' ), $host, 'rebake serve' );
		case 'timeout':
			/* translators: %s: host and port. */
			return sprintf( __( '%s did not answer in time. A firewall between the two is the usual reason.', 'rebake' ), $host );
		case 'name':
			/* translators: %s: host. */
			return sprintf( __( 'There is no host called %s.', 'rebake' ), $parts['host'] ?? '' );
		case 'tls':
			/* translators: 1: host and port, 2: what the network said. */
			return sprintf( __( 'No trusted connection to %1$s could be made: %2$s. The certificate must be valid for this host; for an address of this machine, use http://.', 'rebake' ), $host, rtrim( $result['detail'], '. ' ) );
		case 'secret':
			return rebake_explain_secret( $result );
		case 'guarded':
			/* translators: %d: HTTP status. */
			return sprintf( __( 'Something in front of Rebake, such as a password of the web server, answers %d. Let requests to this address through.', 'rebake' ), $result['status'] );
		case 'admin':
			/* translators: 1: host and port, 2: key, 3: key, 4: file name, 5: an example. */
			return sprintf( __( '%1$s is the address of Rebake that its own commands use (%2$s), and takes no events. Enter http:// and what %3$s says in %4$s, such as %5$s.', 'rebake' ), $host, '"admin"', '"listen"', 'rebake.yaml', 'http://127.0.0.1:8600' );
		case 'webhook':
			if ( ! rebake_is_webhook_path() ) {
				/* translators: 1: path, 2: end of an address, 3: file name. */
				return sprintf( __( 'Rebake is there, but takes no events at %1$s. Leave the path out, or enter %2$s in its place, NAME being what %3$s calls this WordPress.', 'rebake' ), $parts['path'] ?? '/', '/_rebake/webhooks/NAME', 'rebake.yaml' );
			}
			/* translators: 1: path, 2: file name. */
			return sprintf( __( 'There is no webhook at %1$s. Its last part must be the name that %2$s gives to this WordPress.', 'rebake' ), $parts['path'] ?? '/', 'rebake.yaml' );
		case 'redirect':
			/* translators: %s: URL. */
			return sprintf( __( 'The address leads on to %s. Enter the final address.', 'rebake' ), '' === $result['detail'] ? '?' : $result['detail'] );
		case 'busy':
			/* translators: 1: HTTP status, 2: what Rebake said. */
			return rtrim( sprintf( __( 'Rebake, or the web server in front of it, cannot take this now (%1$d). %2$s', 'rebake' ), $result['status'], $result['detail'] ) );
		case 'stranger':
			/* translators: 1: host and port, 2: key, 3: file name, 4: an example. */
			return sprintf( __( 'Something answers at %1$s, but it is not Rebake; it may be WordPress itself. Enter http:// and what %2$s says in %3$s, such as %4$s.', 'rebake' ), $host, '"listen"', 'rebake.yaml', 'http://127.0.0.1:8600' );
		case 'rejected':
			/* translators: 1: HTTP status, 2: what Rebake said. */
			return rtrim( sprintf( __( 'Rebake does not understand the request (%1$d). Are the plugin and Rebake of about the same age? %2$s', 'rebake' ), $result['status'], $result['detail'] ) );
	}
	/* translators: 1: host and port, 2: what the network said. */
	return sprintf( __( '%1$s could not be reached: %2$s', 'rebake' ), $host, $result['detail'] );
}

/**
 * The same for the user of this request. Where Rebake is, and what is wrong with
 * it, is for those who can do something about it.
 *
 * @param array $result Of rebake_send().
 */
function rebake_explain_to_user( array $result ) {
	return current_user_can( 'manage_options' ) ? rebake_explain( $result ) : __( 'An administrator finds the reason under Settings, Rebake.', 'rebake' );
}

/**
 * Why a signature was refused: clocks that differ are as good a reason as
 * secrets that do.
 *
 * @param array $result Of rebake_send().
 */
function rebake_explain_secret( array $result ) {
	if ( abs( $result['ahead'] ) > 4 * MINUTE_IN_SECONDS ) {
		/* translators: %s: a time span like "7 minutes". */
		return sprintf( __( 'Rebake is there, but refuses the signature: its clock and the one of this server are %s apart. Set them right.', 'rebake' ), human_time_diff( 0, (int) abs( $result['ahead'] ) ) );
	}
	/* translators: %s: file name. */
	return sprintf( __( 'Rebake is there, but refuses the signature: the secret here is not the one in its %s.', 'rebake' ), 'rebake.yaml' );
}
