/**
 * The panel of the block editor. It asks anew whenever the post was saved.
 */
( function ( wp, words ) {
	'use strict';

	var el = wp.element.createElement;
	// It moved in WordPress 6.6.
	var Panel = ( wp.editor && wp.editor.PluginDocumentSettingPanel ) || wp.editPost.PluginDocumentSettingPanel;

	/**
	 * Shows an element that is there before the panel is opened.
	 *
	 * @param {{element: Element}} props
	 */
	function Content( props ) {
		var at = wp.element.useRef();
		wp.element.useEffect( function () {
			at.current.appendChild( props.element );
		}, [] );
		return el( 'div', { ref: at } );
	}

	function Freshness() {
		var element = wp.element.useRef( document.createElement( 'div' ) );
		var shown = wp.element.useRef();
		var wasSaving = wp.element.useRef( false );
		var word = wp.element.useState( '' );
		var post = wp.data.useSelect( function ( select ) {
			return select( 'core/editor' ).getCurrentPostId();
		}, [] );
		var saving = wp.data.useSelect( function ( select ) {
			var editor = select( 'core/editor' );
			return editor.isSavingPost() && ! editor.isAutosavingPost();
		}, [] );

		wp.element.useEffect( function () {
			if ( ! post ) {
				return; // The editor has not loaded it yet.
			}
			shown.current = window.rebakeFreshness( element.current, post, word[ 1 ] );
			return function () {
				shown.current.stop();
			};
		}, [ post ] );

		wp.element.useEffect( function () {
			if ( wasSaving.current && ! saving && shown.current ) {
				shown.current.ask();
			}
			wasSaving.current = saving;
		}, [ saving ] );

		return el(
			Panel,
			{ name: 'rebake', title: words.title + ( word[ 0 ] ? ': ' + word[ 0 ] : '' ), className: 'rebake-panel' },
			el( Content, { element: element.current } )
		);
	}

	wp.plugins.registerPlugin( 'rebake', { icon: null, render: Freshness } );
} )( window.wp, window.rebakeWords );
