<?php
/**
 * The routes that the editor and the admin bar call. They are between the
 * browser and Rebake so that the secret stays on the server.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'rest_api_init', 'rebake_register_routes' );

/**
 * Registers the routes.
 */
function rebake_register_routes() {
	$post = array(
		'type'     => 'integer',
		'required' => true,
	);
	register_rest_route(
		'rebake/v1',
		'/freshness',
		array(
			'methods'             => 'GET',
			'callback'            => 'rebake_rest_freshness',
			'permission_callback' => 'rebake_rest_may_edit',
			'args'                => array( 'post' => $post ),
		)
	);
	register_rest_route(
		'rebake/v1',
		'/post',
		array(
			'methods'             => 'POST',
			'callback'            => 'rebake_rest_post',
			'permission_callback' => 'rebake_rest_may_edit',
			'args'                => array( 'post' => $post ),
		)
	);
	register_rest_route(
		'rebake/v1',
		'/url',
		array(
			'methods'             => 'POST',
			'callback'            => 'rebake_rest_url',
			'permission_callback' => 'rebake_may_rebake_any',
			'args'                => array(
				'url' => array(
					'type'     => 'string',
					'required' => true,
				),
			),
		)
	);
}

/**
 * Whether the user may edit the post that the request is about.
 *
 * @param WP_REST_Request $request With "post".
 */
function rebake_rest_may_edit( WP_REST_Request $request ) {
	return current_user_can( 'edit_post', (int) $request['post'] );
}

/**
 * Whether the user may have any page made anew.
 */
function rebake_may_rebake_any() {
	return current_user_can( 'edit_others_posts' );
}

/**
 * Whether a post's public page is fresh.
 *
 * @param WP_REST_Request $request With "post".
 */
function rebake_rest_freshness( WP_REST_Request $request ) {
	$response = rest_ensure_response( rebake_freshness( get_post( (int) $request['post'] ) ) );
	$response->header( 'Cache-Control', 'no-store' );
	return $response;
}

/**
 * Has a post's public page made anew.
 *
 * @param WP_REST_Request $request With "post".
 */
function rebake_rest_post( WP_REST_Request $request ) {
	$post = get_post( (int) $request['post'] );
	if ( ! rebake_is_public( $post ) ) {
		return new WP_Error( 'rebake_hidden', rebake_freshness_of( 'hidden' )['label'], array( 'status' => 400 ) );
	}
	return rebake_rest_answer( rebake_by_hand( array( get_permalink( $post ) ) ) );
}

/**
 * Has the page at an address of this site made anew.
 *
 * @param WP_REST_Request $request With "url".
 */
function rebake_rest_url( WP_REST_Request $request ) {
	$home = home_url( '/' );
	if ( 0 !== strpos( (string) $request['url'], $home ) ) {
		/* translators: %s: URL. */
		return new WP_Error( 'rebake_url', sprintf( __( 'The address must begin with %s.', 'rebake' ), $home ), array( 'status' => 400 ) );
	}
	return rebake_rest_answer( rebake_by_hand( array( (string) $request['url'] ) ) );
}

/**
 * Says how it went.
 *
 * @param array $result Of rebake_send().
 */
function rebake_rest_answer( array $result ) {
	if ( 'ok' !== $result['kind'] ) {
		$text = rebake_freshness_of( 'away' )['label'] . ' ' . rebake_explain_to_user( $result );
		return new WP_Error( 'rebake_' . $result['kind'], $text, array( 'status' => 502 ) );
	}
	$said = current_user_can( 'manage_options' ) ? ' ' . $result['detail'] : '';
	if ( empty( $result['answer']['pages'] ) ) {
		return new WP_Error( 'rebake_no_page', rtrim( __( 'Rebake does not make this page.', 'rebake' ) . $said ), array( 'status' => 400 ) );
	}
	return array( 'message' => rtrim( __( 'Rebake makes the page anew.', 'rebake' ) . $said ) );
}
