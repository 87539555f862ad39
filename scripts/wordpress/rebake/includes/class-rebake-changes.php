<?php
/**
 * What changed in this request.
 *
 * @package Rebake
 */

defined( 'ABSPATH' ) || exit;

/**
 * Remembers what things were like before they changed, in memory, until the
 * request ends. What they are like now is only looked at then, when everything
 * about them is saved.
 */
class Rebake_Changes {

	/**
	 * More of these in one request than anybody edits: an import. It is told as
	 * one change of everything.
	 */
	const MOST = 500;

	/**
	 * One of these per site of a network.
	 *
	 * @var Rebake_Changes[] By the ids of the sites.
	 */
	private static $of = array();

	/**
	 * What things were like before.
	 *
	 * @var array[][] By kind ("post", "term" …) and id.
	 */
	private $before = array();

	/**
	 * How many things there are in $before.
	 *
	 * @var int
	 */
	private $size = 0;

	/**
	 * Whether it is one change of everything: there were more than MOST, or what
	 * something was like could not be found out.
	 *
	 * @var bool
	 */
	private $everything = false;

	/**
	 * The changes of the current site.
	 */
	public static function here() {
		$site = get_current_blog_id();
		if ( ! isset( self::$of[ $site ] ) ) {
			self::$of[ $site ] = new self();
		}
		return self::$of[ $site ];
	}

	/**
	 * Hands over the changes of all sites, and forgets them.
	 *
	 * @return Rebake_Changes[] By the ids of the sites.
	 */
	public static function take() {
		$all      = self::$of;
		self::$of = array();
		return $all;
	}

	/**
	 * Notes that something changes. The first call for a thing counts: later
	 * ones no longer see what it was like.
	 *
	 * @param string   $kind  "post", "term", "user", "comment", "media" or "site".
	 * @param string   $id    Which one.
	 * @param callable $state Returns an array that says what it is like; called when it is wanted.
	 */
	public function note( $kind, $id, callable $state ) {
		if ( ! is_scalar( $id ) || $this->has( $kind, $id ) || ! rebake_is_configured() ) { // Others may call a hook with anything.
			return;
		}
		if ( $this->size >= self::MOST ) {
			$this->everything = true;
			return;
		}
		try {
			$this->before[ $kind ][ $id ] = call_user_func( $state );
			++$this->size;
		} catch ( Throwable $error ) { // Of others' filters. It must not end what the editor does.
			$this->everything = true;
			rebake_log( $error );
		}
	}

	/**
	 * Corrects what was noted, where WordPress tells late that a thing is new.
	 *
	 * @param string $kind  As for note().
	 * @param string $id    As for note().
	 * @param array  $state What is known better.
	 */
	public function correct( $kind, $id, array $state ) {
		$this->note( $kind, $id, '__return_empty_array' );
		if ( $this->has( $kind, $id ) ) {
			$this->before[ $kind ][ $id ] = $state + $this->before[ $kind ][ $id ];
		}
	}

	/**
	 * Whether something is noted.
	 *
	 * @param string $kind As for note().
	 * @param string $id   As for note().
	 */
	public function has( $kind, $id ) {
		return is_scalar( $id ) && isset( $this->before[ $kind ][ $id ] );
	}

	/**
	 * The events to send, as Rebake reads them. Changes that nobody can see in
	 * public make none.
	 *
	 * @return array[]
	 */
	public function events() {
		if ( $this->everything ) {
			return REBAKE_EVERYTHING;
		}
		$events = array();
		foreach ( $this->before as $kind => $things ) {
			foreach ( $things as $id => $before ) {
				try {
					$events = array_merge( $events, call_user_func( "rebake_{$kind}_events", $id, $before ) );
				} catch ( Throwable $error ) { // Of others' filters. Nobody knows which pages it touches.
					$events = array_merge( $events, REBAKE_EVERYTHING );
					rebake_log( $error );
				}
			}
		}
		return rebake_merge( $events );
	}
}
