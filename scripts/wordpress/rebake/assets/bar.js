/**
 * "Rebake this page" in the admin bar.
 */
( function ( bar ) {
	'use strict';

	document.addEventListener( 'click', function ( event ) {
		var link = event.target.closest && event.target.closest( '#wp-admin-bar-rebake > a' );
		if ( ! link ) {
			return;
		}
		event.preventDefault();
		link.textContent = bar.words.busy;
		window
			.fetch( bar.url, {
				method: 'POST',
				credentials: 'same-origin',
				headers: { 'Content-Type': 'application/json', 'X-WP-Nonce': bar.nonce },
				body: JSON.stringify( bar.body ),
			} )
			.then( function ( answer ) {
				return answer.json().then( function ( said ) {
					link.textContent = answer.ok ? bar.words.done : bar.words.no;
					link.title = said.message || '';
				} );
			} )
			.catch( function ( error ) {
				link.textContent = bar.words.no;
				link.title = error.message;
			} );
	} );
} )( window.rebakeBar );
