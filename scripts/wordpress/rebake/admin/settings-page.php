<?php
/**
 * Settings, Rebake: the address, the secret, and a test of both.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

add_action( 'admin_menu', 'rebake_add_settings_page' );
add_action( 'admin_init', 'rebake_register_settings' );
add_action( 'admin_post_rebake_test', 'rebake_handle_test' );
add_filter( 'plugin_action_links_' . plugin_basename( REBAKE_FILE ), 'rebake_add_settings_link' );

/**
 * Adds the page.
 */
function rebake_add_settings_page() {
	add_options_page( __( 'Rebake', 'rebake' ), __( 'Rebake', 'rebake' ), 'manage_options', 'rebake', 'rebake_settings_page' );
}

/**
 * Adds a link to the page in the list of plugins.
 *
 * @param string[] $links Of this plugin.
 */
function rebake_add_settings_link( $links ) {
	$links = (array) $links;
	array_unshift( $links, sprintf( '<a href="%s">%s</a>', esc_url( admin_url( 'options-general.php?page=rebake' ) ), esc_html__( 'Settings', 'rebake' ) ) );
	return $links;
}

/**
 * Registers what the form saves.
 */
function rebake_register_settings() {
	register_setting(
		'rebake',
		'rebake_settings',
		array(
			'type'              => 'array',
			'sanitize_callback' => 'rebake_sanitize_settings',
			'show_in_rest'      => false,
		)
	);
	add_settings_section( 'rebake', '', '__return_null', 'rebake' );
	add_settings_field( 'rebake_url', __( 'Address', 'rebake' ), 'rebake_url_field', 'rebake', 'rebake', array( 'label_for' => 'rebake_url' ) );
	add_settings_field( 'rebake_secret', __( 'Secret', 'rebake' ), 'rebake_secret_field', 'rebake', 'rebake', array( 'label_for' => 'rebake_secret' ) );
}

/**
 * Cleans what was entered. A secret that is left empty stays as it is, and so
 * does an address that the user may not change.
 *
 * @param mixed $entered Of the form.
 */
function rebake_sanitize_settings( $entered ) {
	$saved   = get_option( 'rebake_settings' );
	$saved   = ( is_array( $saved ) ? $saved : array() ) + array(
		'url'    => '',
		'secret' => '',
	);
	$entered = is_array( $entered ) ? array_filter( $entered, 'is_string' ) : array();
	if ( isset( $entered['url'] ) && rebake_may_set_address() ) {
		$saved['url'] = rebake_sanitize_url( trim( $entered['url'] ), $saved['url'] );
	}
	$secret = trim( $entered['secret'] ?? '' );
	if ( '' !== $secret && strlen( $secret ) < 8 ) {
		add_settings_error( 'rebake_settings', 'short', __( 'The secret is too short, so the old one stays: Rebake takes none with less than 8 characters.', 'rebake' ) );
	} elseif ( '' !== $secret ) {
		$saved['secret'] = $secret;
	}
	set_transient( 'rebake_saved_' . get_current_user_id(), true, MINUTE_IN_SECONDS );
	return $saved;
}

/**
 * Cleans an address. In the place of one that is none the old one stays.
 *
 * @param string $entered Of the form.
 * @param string $saved   The old one.
 */
function rebake_sanitize_url( $entered, $saved ) {
	$url = rebake_complete_url( $entered );
	if ( '' === $url ) {
		return '';
	}
	$clean = false === strpos( $url, '://' ) ? '' : esc_url_raw( $url, array( 'http', 'https' ) );
	if ( '' === $clean || ! wp_parse_url( $clean, PHP_URL_HOST ) ) {
		/* translators: 1: what was entered, 2: an example. */
		add_settings_error( 'rebake_settings', 'address', sprintf( __( 'The address "%1$s" is none, so the old one stays: it has to begin with http:// or https:// and a host, such as %2$s.', 'rebake' ), $entered, 'http://127.0.0.1:8600' ) );
		return $saved;
	}
	return $clean;
}

/**
 * The field for the address.
 */
function rebake_url_field() {
	rebake_field( 'url', 'text', rebake_setting( 'url' ), 'http://127.0.0.1:8600' );
	echo '<p class="description">';
	printf(
		/* translators: 1: beginning of an address, 2: key, 3: file name, 4: end of an address. */
		esc_html__( '%1$s and what %2$s says in %3$s. If this WordPress is not called "wordpress" there, end it with %4$s.', 'rebake' ),
		'<code>http://</code>',
		'<code>listen</code>',
		'<code>rebake.yaml</code>',
		'<code>/_rebake/webhooks/NAME</code>'
	);
	echo '</p>';
}

/**
 * The field for the secret, which is never shown.
 */
function rebake_secret_field() {
	rebake_field( 'secret', 'password', '', '' === rebake_setting( 'secret' ) ? '' : '••••••••••••' );
	echo '<p class="description">';
	printf(
		/* translators: 1: key, 2: key, 3: file name, 4: command, 5: file name. */
		esc_html__( 'What %1$s of the webhook says in %3$s, or what is in the file that its %2$s names; %4$s has made one called %5$s. Leave the field empty to keep the secret that is saved.', 'rebake' ),
		'<code>secret</code>',
		'<code>secret_file</code>',
		'<code>rebake.yaml</code>',
		'<code>rebake init</code>',
		'<code>webhook.secret</code>'
	);
	echo '</p>';
}

/**
 * A field, or what wp-config.php has in its place.
 *
 * @param string $name        Of the setting.
 * @param string $type        Of the input.
 * @param string $value       Shown in it.
 * @param string $placeholder Shown when it is empty.
 */
function rebake_field( $name, $type, $value, $placeholder ) {
	$constant = rebake_is_constant( $name );
	$fixed    = 'url' === $name && ! rebake_may_set_address();
	printf(
		'<input type="%1$s" id="rebake_%2$s" name="rebake_settings[%2$s]" value="%3$s" placeholder="%4$s" class="regular-text code" autocomplete="%5$s"%6$s>',
		esc_attr( $type ),
		esc_attr( $name ),
		esc_attr( $value ),
		esc_attr( $placeholder ),
		'password' === $type ? 'new-password' : 'off',
		disabled( $constant || $fixed, true, false )
	);
	if ( $constant ) {
		/* translators: 1: constant, 2: file name. */
		printf( '<p><strong>%s</strong></p>', sprintf( esc_html__( 'Set by %1$s in %2$s.', 'rebake' ), '<code>REBAKE_' . esc_html( strtoupper( $name ) ) . '</code>', '<code>wp-config.php</code>' ) );
	} elseif ( $fixed ) {
		printf( '<p><strong>%s</strong></p>', esc_html__( 'Only an administrator of the network can change it.', 'rebake' ) );
	}
}

/**
 * The page.
 */
function rebake_settings_page() {
	echo '<div class="wrap"><h1>' . esc_html__( 'Rebake', 'rebake' ) . '</h1>';
	echo '<p>' . esc_html__( 'Rebake keeps the public pages of this site as plain files. This plugin tells it what changes, so that they follow within seconds.', 'rebake' ) . '</p>';
	rebake_show_result();
	echo '<form action="options.php" method="post">';
	settings_fields( 'rebake' );
	do_settings_sections( 'rebake' );
	if ( ! rebake_is_constant( 'url' ) || ! rebake_is_constant( 'secret' ) ) {
		submit_button( __( 'Save and test', 'rebake' ) );
	}
	echo '</form>';
	if ( rebake_is_configured() ) {
		rebake_show_status();
	}
	echo '</div>';
}

/**
 * Sends a test, and what waits if that went well.
 */
function rebake_handle_test() {
	if ( ! current_user_can( 'manage_options' ) ) {
		wp_die( esc_html__( 'You may not do this.', 'rebake' ), '', array( 'response' => 403 ) );
	}
	check_admin_referer( 'rebake_test' );
	set_transient( 'rebake_test_' . get_current_user_id(), rebake_test(), MINUTE_IN_SECONDS );
	wp_safe_redirect( admin_url( 'options-general.php?page=rebake' ) );
	exit;
}

/**
 * Sends a test, and what waits if that went well. Rebake may take it, and tell
 * all the same that no edit of this site will change a page.
 *
 * @return array Of rebake_send().
 */
function rebake_test() {
	$result = rebake_send( array( 'events' => array( array( 'type' => 'test' ) ) ), 5 );
	if ( 'ok' === $result['kind'] ) {
		rebake_queue_send( 5 );
		if ( ! empty( $result['answer']['problem'] ) && is_string( $result['answer']['problem'] ) ) {
			$result['kind']   = 'foreign';
			$result['detail'] = $result['answer']['problem'];
		}
	}
	return $result;
}

/**
 * Shows the result of a test: of the one that was asked for, or of what was
 * just saved.
 */
function rebake_show_result() {
	$key    = 'rebake_test_' . get_current_user_id();
	$result = get_transient( $key );
	delete_transient( $key );
	$saved = 'rebake_saved_' . get_current_user_id();
	if ( ! $result && get_transient( $saved ) ) { // Not by what the address says, which others can have an administrator open.
		$result = rebake_test();
	}
	delete_transient( $saved );
	if ( ! is_array( $result ) ) {
		return;
	}
	$class = 'error';
	$said  = __( 'The test failed.', 'rebake' );
	if ( 'ok' === $result['kind'] ) {
		$class = 'success';
		$said  = __( 'The test was successful.', 'rebake' );
	} elseif ( 'unset' === $result['kind'] ) {
		$class = 'warning'; // An empty address is also how one stops it.
		$said  = __( 'Nothing was tested, and nothing is sent.', 'rebake' );
	}
	printf( '<div class="notice notice-%s inline"><p><strong>%s</strong> %s</p></div>', esc_attr( $class ), esc_html( $said ), esc_html( rebake_explain( $result ) ) );
}
