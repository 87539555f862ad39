<?php
// Calls the front end while a post is being saved, as plugins for Next.js do:
// with paths when the post's title says "Calls with paths", or with its number
// alone when it says "Calls with ids".
add_action(
	'save_post',
	function ( $id, $post ) {
		if ( 'publish' !== $post->post_status || ! preg_match( '/^Calls with (paths|ids)/', $post->post_title, $how ) ) {
			return;
		}
		$names = array(
			'paths' => array( 'postId' => $id, 'paths' => array( '/', rtrim( wp_make_link_relative( get_permalink( $id ) ), '/' ) ) ),
			'ids'   => array( 'contentType' => 'post', 'contentId' => $id ),
		);
		$answer = wp_remote_request(
			getenv( 'WORDPRESS_CALLS' ),
			array(
				'method'  => 'PUT',
				'headers' => array(
					'Authorization' => 'Bearer ' . getenv( 'WORDPRESS_SECRET' ),
					'Content-Type'  => 'application/json',
				),
				'body'    => wp_json_encode( $names[ $how[1] ] ),
			)
		);
		if ( 200 !== wp_remote_retrieve_response_code( $answer ) ) {
			wp_die( 'the call was not answered: ' . wp_json_encode( $answer ) );
		}
		usleep( 500000 ); // what else happens before the terms are saved
	},
	10,
	2
);
