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
	$url   = rebake_setting( 'url' );
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
 * Whether there is somebody to tell.
 */
function rebake_is_configured() {
	return '' !== rebake_endpoint() && '' !== rebake_setting( 'secret' );
}

/**
 * Whether this is somebody who only looks. What a mere visit saves is no edit:
 * WordPress, themes and plugins note things when they are first looked at.
 */
function rebake_is_visit() {
	return ! wp_doing_cron() && in_array( $_SERVER['REQUEST_METHOD'] ?? '', array( 'GET', 'HEAD' ), true );
}
