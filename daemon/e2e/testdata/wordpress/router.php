<?php
// What a web server's rewrite rules do: what is no file is WordPress' to answer.
// Without this, php -S would answer 404 for every path with a dot.
$file = __DIR__ . rawurldecode( (string) parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH ) );
if ( is_file( $file ) || is_file( rtrim( $file, '/' ) . '/index.php' ) ) {
	return false; // php -S serves or runs it
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
require __DIR__ . '/index.php';
