<?php
// Answers the questions of the installer, and prints an application password.
define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST']   = parse_url( getenv( 'WORDPRESS_HOME' ), PHP_URL_HOST );
$_SERVER['REQUEST_URI'] = '/';
require __DIR__ . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

$site = wp_install( 'A Real WordPress', 'editor', 'editor@example.com', true, '', getenv( 'WORDPRESS_PASSWORD' ) );

// The rules are made of the structure at the next request, when the taxonomies
// are known.
update_option( 'permalink_structure', '/%year%/%monthnum%/%postname%/' );
update_option( 'rewrite_rules', '' );

echo WP_Application_Passwords::create_new_application_password( $site['user_id'], array( 'name' => 'tests' ) )[0];
