<?php
// Runs the code that a test posts to /?run, as the editor, and answers with
// what it prints: much sooner than a PHP of its own would.
add_action(
	'wp_loaded',
	function () {
		if ( ! isset( $_GET['run'] ) || 'POST' !== $_SERVER['REQUEST_METHOD'] ) {
			return;
		}
		require_once ABSPATH . 'wp-admin/includes/admin.php';
		wp_set_current_user( 1 );
		global $wpdb;
		eval( file_get_contents( 'php://input' ) );
		exit;
	}
);
