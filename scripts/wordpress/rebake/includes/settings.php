<?php
/**
 * Where Rebake is, and the secret that it shares with this site.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * A setting: the constant in wp-config.php, or else what was saved.
 *
 * @param string $name "url" or "secret".
 */
function rebake_setting( $name ) {
	if ( rebake_is_constant( $name ) ) {
		return trim( (string) constant( 'REBAKE_' . strtoupper( $name ) ) );
	}
	$saved = get_option( 'rebake_settings' );
	return is_array( $saved ) && isset( $saved[ $name ] ) ? trim( (string) $saved[ $name ] ) : '';
}

/**
 * Whether wp-config.php has a setting, so that nobody can change it here.
 *
 * @param string $name "url" or "secret".
 */
function rebake_is_constant( $name ) {
	return defined( 'REBAKE_' . strtoupper( $name ) );
}

/**
 * The full address of the webhook, '' when there is none. An address without
 * a path of its own gets that of the webhook called "wordpress".
 */
function rebake_endpoint() {
	$url   = rebake_complete_url( rebake_setting( 'url' ) );
	$parts = wp_parse_url( $url );
	if ( ! is_array( $parts ) || empty( $parts['host'] ) || ! in_array( $parts['scheme'] ?? '', array( 'http', 'https' ), true ) ) {
		return '';
	}
	if ( '' === trim( $parts['path'] ?? '', '/' ) ) {
		return $parts['scheme'] . '://' . $parts['host'] . ( isset( $parts['port'] ) ? ':' . $parts['port'] : '' ) . '/_rebake/webhooks/wordpress';
	}
	return $url;
}

/**
 * Whether the address is one of a webhook.
 */
function rebake_is_webhook_path() {
	return false !== strpos( (string) wp_parse_url( rebake_endpoint(), PHP_URL_PATH ), '/_rebake/webhooks/' );
}

/**
 * An address with http:// before it, where that is left out and can be meant:
 * for this machine, and for others that the internet does not know.
 *
 * @param string $url As somebody has written it.
 */
function rebake_complete_url( $url ) {
	if ( '' === $url || false !== strpos( $url, '://' ) ) {
		return $url;
	}
	$host = wp_parse_url( 'http://' . ltrim( $url, '/' ), PHP_URL_HOST );
	return is_string( $host ) && rebake_is_near( trim( $host, '[]' ) ) ? 'http://' . ltrim( $url, '/' ) : $url;
}

/**
 * Whether a host is this machine, or one of a private network.
 *
 * @param string $host A name or an address.
 */
function rebake_is_near( $host ) {
	if ( filter_var( $host, FILTER_VALIDATE_IP ) ) {
		return '::1' === $host || ! filter_var( $host, FILTER_VALIDATE_IP, FILTER_FLAG_NO_PRIV_RANGE | FILTER_FLAG_NO_RES_RANGE );
	}
	return (bool) preg_match( '/^[a-z0-9_-]+$|\.(localhost|local|internal|lan|home\.arpa)$/i', $host );
}

/**
 * Whether the user may say where Rebake is. On a network only those who run it
 * may: to any address this server would send, also to one that only it reaches.
 */
function rebake_may_set_address() {
	return current_user_can( is_multisite() ? 'manage_network_options' : 'manage_options' );
}

/**
 * Whether there is somebody to tell.
 */
function rebake_is_configured() {
	return '' !== rebake_endpoint() && '' !== rebake_setting( 'secret' );
}

/**
 * Whether this request only looks, or should.
 */
function rebake_is_look() {
	return ! wp_doing_cron() && in_array( $_SERVER['REQUEST_METHOD'] ?? '', array( 'GET', 'HEAD' ), true );
}

/**
 * Whether this is somebody who looks at the site. What a mere visit saves is no
 * edit: WordPress, themes and plugins note things when they are first looked at.
 * Pages of the admin, and what a payment service calls, do save by GET.
 */
function rebake_is_visit() {
	$is_admin = is_admin() && ! wp_doing_ajax();
	return rebake_is_look() && ! $is_admin && false === strpos( (string) ( $_SERVER['REQUEST_URI'] ?? '' ), 'wc-api' );
}
