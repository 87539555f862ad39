package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// networkRouter sends /two/wp-admin/ and the like to the one program, as the
// rewrite rules of a network do, and then does what testdata's router does.
const networkRouter = `<?php
$path = preg_replace( '#^/two(?=/wp-)#', '', rawurldecode( (string) parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH ) ) );
$path = is_dir( __DIR__ . $path ) ? rtrim( $path, '/' ) . '/index.php' : $path;
if ( ! is_file( __DIR__ . $path ) ) {
	$path = '/index.php';
}
if ( '.php' !== substr( $path, -4 ) ) {
	return false;
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $path;
$_SERVER['SCRIPT_FILENAME'] = __DIR__ . $path;
chdir( dirname( __DIR__ . $path ) );
require __DIR__ . $path;
`

// newNetwork makes a network with a second site in a directory of the first
// one's, each with a Rebake of its own.
func newNetwork(t *testing.T) (one, two *plugged) {
	t.Helper()
	addr := freePort(t)
	w := newServer(t).newWordPress(t, "network", addr, "http://"+addr, "http://127.0.0.1:1")
	w.php(t, fmt.Sprintf(`require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		foreach ( $wpdb->tables( 'ms_global' ) as $name => $table ) { $wpdb->$name = $table; }
		install_network();
		$done = populate_network( 1, '%s', 'editor@example.com', 'A Network', '/', false );
		if ( true !== $done ) { throw new Exception( $done->get_error_message() ); }`, addr))

	config := filepath.Join(w.site, "wp-config.php")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	// These would be the addresses of all sites.
	alone := strings.NewReplacer("define( 'WP_HOME'", "define( 'NO_HOME'", "define( 'WP_SITEURL'", "define( 'NO_SITEURL'").Replace(string(text))
	for name, text := range map[string]string{
		config: strings.Replace(alone, "$table_prefix", fmt.Sprintf(`define( 'MULTISITE', true );
			define( 'SUBDOMAIN_INSTALL', false );
			define( 'DOMAIN_CURRENT_SITE', '%s' );
			define( 'PATH_CURRENT_SITE', '/' );
			define( 'SITE_ID_CURRENT_SITE', 1 );
			define( 'BLOG_ID_CURRENT_SITE', 1 );
			$table_prefix`, addr), 1),
		filepath.Join(w.site, "router.php"): networkRouter,
	} {
		if err := write(name, text); err != nil {
			t.Fatal(err)
		}
	}
	w.php(t, `foreach ( array( 'wp-config.php', 'router.php' ) as $changed ) { opcache_invalidate( ABSPATH . $changed, true ); }`)

	// WordPress takes the colon out of an address with a port.
	w.php(t, fmt.Sprintf(`$two = wp_insert_site( array( 'domain' => '%[1]s', 'path' => '/two/', 'title' => 'Two', 'user_id' => 1 ) );
		$wpdb->update( $wpdb->blogs, array( 'domain' => '%[1]s' ), array( 'blog_id' => $two ) );
		foreach ( array( 'home', 'siteurl' ) as $name ) { update_blog_option( $two, $name, 'http://%[1]s/two' ); }
		activate_plugin( 'rebake/rebake.php', '', true );`, addr))
	below := *w
	below.home, below.origin = w.home+"/two", w.origin+"/two"
	one, two = &plugged{wordPress: w, rebake: newReceiver(t)}, &plugged{wordPress: &below, rebake: newReceiver(t)}
	for _, p := range []*plugged{one, two} {
		p.php(t, `update_option( 'permalink_structure', '/%postname%/' );`)
		p.settings(t, p.rebake.URL, secret)
	}
	return one, two
}

// TestWordPressPlugin_EverySiteOfANetworkHasItsOwnRebake activates the plugin
// for a network of two sites at once.
func TestWordPressPlugin_EverySiteOfANetworkHasItsOwnRebake(t *testing.T) {
	t.Parallel()
	one, two := newNetwork(t)
	const hello = `wp_insert_post( array( 'post_title' => 'Hello', 'post_name' => '%s', 'post_status' => 'publish' ) );`

	for name, of := range map[string]struct{ told, other *plugged }{"the first": {one, two}, "the second": {two, one}} {
		t.Run("an edit of "+name+" is told to its own", func(t *testing.T) {
			var events []told
			of.other.silent(t, func() {
				events = of.told.tells(t, func() { of.told.php(t, fmt.Sprintf(hello, "own")) })
			})
			if len(events) != 1 || !cmp.Equal(events[0].Links, []string{"/own/"}) {
				t.Errorf("events %+v", events)
			}
		})
		t.Run("the settings page of "+name+" shows its own", func(t *testing.T) {
			page := text(of.told.signIn(t).get(t, of.told.home+"/wp-admin/options-general.php?page=rebake").body)
			if !strings.Contains(page, of.told.rebake.URL) || strings.Contains(page, of.other.rebake.URL) {
				t.Errorf("its Rebake is %s:\n%s", of.told.rebake.URL, page)
			}
		})
	}
	t.Run("only who runs the network says where requests go", func(t *testing.T) { testNetworkAddress(t, two) })
	t.Run("an edit of the second, made in the first, is told to the second's", func(t *testing.T) {
		var events []told
		one.silent(t, func() {
			events = two.tells(t, func() {
				one.php(t, `switch_to_blog( 2 ); `+fmt.Sprintf(hello, "from-afar")+` restore_current_blog();`)
			})
		})
		if len(events) != 1 || !cmp.Equal(events[0].Links, []string{"/from-afar/"}) {
			t.Errorf("events %+v", events)
		}
	})
	t.Run("what the sites share is told to both", func(t *testing.T) { testNetworkShares(t, one, two) })
	t.Run("what the second's cannot take waits there", func(t *testing.T) {
		two.settings(t, two.rebake.URL, "another secret")
		two.silent(t, func() { two.php(t, fmt.Sprintf(hello, "refused")) })
		if one.waiting(t) != "0" || two.waiting(t) != "1" {
			t.Errorf("%s requests wait at the first, %s at the second", one.waiting(t), two.waiting(t))
		}
	})
	t.Run("uninstalled, it leaves nothing on any site", func(t *testing.T) {
		one.php(t, `deactivate_plugins( 'rebake/rebake.php', true, true ); uninstall_plugin( 'rebake/rebake.php' );`)
		left := one.php(t, `foreach ( array( 1, 2 ) as $site ) { switch_to_blog( $site );
			echo implode( ' ', $wpdb->get_col( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%rebake\_%' OR option_value LIKE '%rebake\_%'" ) ); }`)
		if left != "" {
			t.Errorf("options are left: %s", left)
		}
	})
}

// testNetworkShares changes, on the first site, what the second one shows too.
func testNetworkShares(t *testing.T, one, two *plugged) {
	part := func(what string) []told { return []told{{Type: "site", What: what}} }
	author := func(old, now string) []told {
		return []told{{Type: "user", ID: 1, Links: []string{"/author/" + now + "/"}, OldLinks: []string{"/author/" + old + "/"}}}
	}
	for _, of := range []struct {
		name, do string
		want     []told
	}{
		{"an update", `$call = array( 'upgrader_process_complete', null, array( 'type' => 'plugin', 'action' => 'update' ) );` + callOurs, part("update:plugin")},
		{"a plugin for the network", `activate_plugin( 'akismet/akismet.php', '', true );`, part("plugin:akismet")},
		{"that plugin's end", `deactivate_plugins( 'akismet/akismet.php', false, true );`, part("plugin:akismet")},
		{"the author's name", `wp_update_user( array( 'ID' => 1, 'display_name' => 'Ed Itor' ) );`, author("editor", "editor")},
		{"the author's address", `wp_update_user( array( 'ID' => 1, 'user_nicename' => 'ed' ) );`, author("editor", "ed")},
		{"the author's description", `update_user_meta( 1, 'description', 'Writes.' );`, author("ed", "ed")},
	} {
		t.Run(of.name, func(t *testing.T) {
			events := map[*plugged][]told{}
			events[two] = two.tells(t, func() {
				events[one] = one.tells(t, func() { one.php(t, of.do) })
			})
			for _, p := range []*plugged{one, two} {
				if diff := cmp.Diff(of.want, events[p], equalLists); diff != "" {
					t.Errorf("%s (-want +got):\n%s", p.home, diff)
				}
			}
		})
	}
	t.Run("a plugin for one site is told to its own", func(t *testing.T) {
		two.silent(t, func() {
			one.tells(t, func() { one.php(t, `activate_plugin( 'akismet/akismet.php' );`) })
		})
	})
	t.Run("a site on which the plugin does not work is left alone", func(t *testing.T) {
		two.silent(t, func() {
			one.tells(t, func() {
				one.php(t, `add_filter( 'site_option_active_sitewide_plugins', '__return_empty_array' );
					$call = array( 'upgrader_process_complete', null, array( 'type' => 'core' ) );`+callOurs)
			})
		})
	})
	t.Run("who leaves a site leaves the posts there to another", func(t *testing.T) {
		heir := one.php(t, `$heir = wp_insert_user( array( 'user_login' => 'heir', 'user_pass' => 'x', 'user_email' => 'heir@example.com' ) ); add_user_to_blog( 2, $heir, 'editor' ); echo $heir;`)
		events := two.tells(t, func() { one.silent(t, func() { one.php(t, `remove_user_from_blog( 1, 2, `+heir+` );`) }) })
		if len(events) != 2 || events[0].Type != "user" || len(events[0].Links) > 0 || len(events[0].OldLinks) != 1 || !cmp.Equal(events[1].Links, []string{"/author/heir/"}) {
			t.Errorf("events %+v", events)
		}
		two.php(t, `add_user_to_blog( 2, 1, 'administrator' );`)
	})
}
