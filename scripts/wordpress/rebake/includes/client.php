<?php
/**
 * Signs a request, sends it, and says what became of it.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * Sends events, or a question, and waits for the answer.
 *
 * The address is the administrator's own, mostly one of this machine, so this
 * is not wp_safe_remote_post, which refuses those and ports like 8600.
 *
 * @param array  $message What goes beside the names of sender and version: "events" or "ask".
 * @param float  $timeout In seconds.
 * @param string $id      Of the request; the same for one that is sent again.
 * @return array {
 *     @type string $kind   "ok", or what went wrong, see rebake_explain().
 *     @type string $detail What the other side, or the network, said about it.
 *     @type int    $status Of HTTP; 0 when there was no answer.
 *     @type array  $answer The decoded answer.
 *     @type int    $ahead  Seconds that the other clock is ahead of ours; 0 when unknown.
 * }
 */
function rebake_send( array $message, $timeout, $id = '' ) {
	if ( '' === rebake_setting( 'url' ) || '' === rebake_setting( 'secret' ) ) {
		return rebake_result( 'unset' );
	}
	if ( '' === rebake_endpoint() ) {
		return rebake_result( 'address' );
	}
	$body     = wp_json_encode(
		array(
			'source'  => 'wordpress',
			'version' => 1,
			'home'    => home_url( '/' ),
			'at'      => rebake_clock( microtime( true ) ), // pages made from now on show it all
		) + $message,
		JSON_UNESCAPED_SLASHES
	);
	$response = wp_remote_post(
		rebake_endpoint(),
		array(
			'timeout'             => $timeout,
			'redirection'         => 0,
			'limit_response_size' => MB_IN_BYTES,
			'user-agent'          => 'Rebake/' . REBAKE_VERSION . '; ' . home_url( '/' ),
			'headers'             => rebake_headers( '' === $id ? wp_generate_uuid4() : $id, $body ),
			'body'                => $body,
		)
	);
	return is_wp_error( $response ) ? rebake_read_error( $response ) : rebake_read_response( $response );
}

/**
 * The headers, as the Standard Webhooks say; the key is the secret as it is.
 *
 * @param string $id   Of the request.
 * @param string $body As it is sent.
 */
function rebake_headers( $id, $body ) {
	$time = time();
	return array(
		'Content-Type'      => 'application/json',
		'webhook-id'        => $id,
		'webhook-timestamp' => (string) $time,
		// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- the form of a signature.
		'webhook-signature' => 'v1,' . base64_encode( hash_hmac( 'sha256', "$id.$time.$body", rebake_setting( 'secret' ), true ) ),
	);
}

/**
 * A result, see rebake_send().
 *
 * @param string $kind   See rebake_explain().
 * @param string $detail What was said about it.
 * @param int    $status Of HTTP.
 * @param array  $answer Decoded.
 * @param int    $ahead  Seconds.
 */
function rebake_result( $kind, $detail = '', $status = 0, array $answer = array(), $ahead = 0 ) {
	return compact( 'kind', 'detail', 'status', 'answer', 'ahead' );
}

/**
 * What went wrong before there was an answer.
 *
 * @param WP_Error $error Of WordPress' HTTP API.
 */
function rebake_read_error( WP_Error $error ) {
	$text = $error->get_error_message();
	if ( 'http_request_not_executed' === $error->get_error_code() ) {
		return rebake_result( 'blocked', $text );
	}
	$kinds = array( // By cURL's numbers, and by the words of the other transport.
		'refused' => '/cURL error 7\b.*(refused|after \d+ ms)|Connection refused/i',
		'timeout' => '/cURL error 28\b|timed out/i',
		'name'    => '/cURL error 6\b|getaddrinfo/i',
		'tls'     => '/cURL error (35|51|53|54|58|59|60|64|66|77|80|82|83|90|91)\b|\bSSL\b|certificate/i',
	);
	foreach ( $kinds as $kind => $pattern ) {
		if ( preg_match( $pattern, $text ) ) {
			return rebake_result( $kind, $text );
		}
	}
	return rebake_result( 'unreachable', $text );
}

/**
 * What an answer means. Only Rebake answers with JSON that has "revalidated",
 * or "pages" for a question. WordPress itself says 404 to all that it does not
 * know. And /api/revalidate knows no signature, so it refuses each.
 *
 * @param array $response Of WordPress' HTTP API.
 */
function rebake_read_response( array $response ) {
	$status = (int) wp_remote_retrieve_response_code( $response );
	$answer = json_decode( wp_remote_retrieve_body( $response ), true );
	$answer = is_array( $answer ) ? $answer : array();
	$ours   = isset( $answer['revalidated'] ) || ( isset( $answer['pages'] ) && is_array( $answer['pages'] ) );
	$detail = isset( $answer['message'] ) && is_string( $answer['message'] ) ? $answer['message'] : '';
	$date   = strtotime( (string) wp_remote_retrieve_header( $response, 'date' ) );

	if ( 200 === $status ) {
		$kind = $ours && false !== ( $answer['revalidated'] ?? true ) ? 'ok' : 'stranger';
	} elseif ( $status >= 300 && $status < 400 ) {
		$kind   = 'redirect';
		$detail = (string) wp_remote_retrieve_header( $response, 'location' );
	} elseif ( rebake_is_admin_answer( $status, $answer, $response ) ) {
		$kind = 'admin';
	} elseif ( 401 === $status ) {
		$kind = $ours ? ( rebake_is_webhook_path() ? 'secret' : 'webhook' ) : 'guarded';
	} elseif ( 404 === $status || 405 === $status ) {
		$kind = $ours ? 'webhook' : 'stranger';
	} elseif ( $status >= 500 || 408 === $status || 425 === $status || 429 === $status ) {
		$kind = 'busy';
	} else {
		$kind = 403 === $status ? 'guarded' : 'rejected';
	}
	return rebake_result( $kind, $detail, $status, $answer, $date ? $date - time() : 0 );
}

/**
 * Whether it is the address of Rebake's commands that has answered: it says so,
 * or asks for their token.
 *
 * @param int   $status   Of HTTP.
 * @param array $answer   Decoded.
 * @param array $response Of WordPress' HTTP API.
 */
function rebake_is_admin_answer( $status, array $answer, array $response ) {
	$asks = 401 === $status && isset( $answer['revalidated'] ) && 'Bearer' === (string) wp_remote_retrieve_header( $response, 'www-authenticate' );
	return $asks || 404 === $status && 'admin_address' === ( $answer['error'] ?? '' );
}
