/**
 * Shows in an element whether the public page of a post is fresh, and asks
 * again while Rebake is at work.
 */
( function ( wp, words ) {
	'use strict';

	var pause = 2000; // in milliseconds, between two questions
	var most = 30; // questions in a row

	/**
	 * Fills an element.
	 *
	 * @param {Element}  element
	 * @param {number}   post    Its id.
	 * @param {Function} [tell]  Called with a word or two whenever the state is known.
	 * @return {{ask: Function, stop: Function}} Asks anew; ends asking.
	 */
	function mount( element, post, tell ) {
		var state = document.createElement( 'p' );
		var detail = document.createElement( 'p' );
		var button = document.createElement( 'button' );
		var asked = 0;
		var round = 0; // answers of an earlier one are too late
		var timer;

		state.className = 'rebake-state';
		state.setAttribute( 'aria-live', 'polite' );
		detail.className = 'rebake-detail';
		button.type = 'button';
		button.className = 'button components-button is-secondary';
		button.textContent = words.rebake;
		element.replaceChildren( state, detail, button );

		function show( name, label, more ) {
			state.dataset.state = name;
			state.textContent = label;
			detail.textContent = more || '';
			button.hidden = [ 'hidden', 'away', 'asking' ].indexOf( name ) >= 0;
		}

		function ask() {
			var mine = ++round;
			clearTimeout( timer );
			asked++;
			wp.apiFetch( { path: '/rebake/v1/freshness?post=' + post } ).then(
				function ( page ) {
					if ( mine !== round ) {
						return;
					}
					show( page.state, page.label, page.detail );
					if ( tell ) {
						tell( page.word );
					}
					if ( [ 'stale', 'retrying' ].indexOf( page.state ) >= 0 && asked < most ) {
						timer = setTimeout( ask, pause );
					}
				},
				function ( error ) {
					if ( mine === round ) {
						show( 'away', error.message );
					}
				}
			);
		}

		function begin() {
			asked = 0;
			ask();
		}

		button.addEventListener( 'click', function () {
			button.disabled = true;
			wp.apiFetch( { path: '/rebake/v1/post', method: 'POST', data: { post: post } } )
				.then( begin, function ( error ) {
					show( 'away', error.message );
				} )
				.then( function () {
					button.disabled = false;
				} );
		} );

		show( 'asking', words.asking );
		begin();
		return {
			ask: begin,
			stop: function () {
				round++;
				clearTimeout( timer );
			},
		};
	}

	window.rebakeFreshness = mount;
	wp.domReady( function () {
		document.querySelectorAll( '.rebake-freshness[data-post]' ).forEach( function ( element ) {
			mount( element, Number( element.dataset.post ) );
		} );
	} );
} )( window.wp, window.rebakeWords );
