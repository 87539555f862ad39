package e2e

import (
	"fmt"
	"html"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// signIn is a browser of the editor, who is an administrator.
func (w *wordPress) signIn(t *testing.T) *visitor {
	t.Helper()
	v := newVisitor(t)
	v.get(t, w.home+"/wp-login.php") // its test cookie
	a := v.post(t, w.home+"/wp-login.php", url.Values{"log": {editorName}, "pwd": {editorPassword}, "testcookie": {"1"}})
	if a.status != http.StatusFound {
		t.Fatalf("the editor cannot sign in: %.2000s", a)
	}
	return v
}

// press sends the form of an admin page with an action, and returns the text
// of the page that follows.
func press(t *testing.T, v *visitor, home, page, action string) string {
	t.Helper()
	before := v.get(t, home+"/wp-admin/"+page).body
	form := regexp.MustCompile(`(?s)value="` + action + `">.*?name="_wpnonce" value="([^"]+)"`).FindStringSubmatch(before)
	if form == nil {
		t.Fatalf("%s has no form for %s:\n%s", page, action, before)
	}
	a := v.post(t, home+"/wp-admin/admin-post.php", url.Values{"action": {action}, "_wpnonce": {form[1]}})
	if a.status != http.StatusFound {
		t.Fatalf("%s: %.2000s", action, a)
	}
	return text(v.get(t, a.header.Get("Location")).body)
}

// text is what a page says, less its tags.
func text(page string) string {
	return html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, ""))
}

func testPluginAdmin(t *testing.T, p *plugged) {
	t.Run("a test says what is wrong", func(t *testing.T) { testPluginDiagnosis(t, p) })
	admin := p.signIn(t)
	const settings, tools = "options-general.php?page=rebake", "tools.php?page=rebake-all"

	t.Run("the test button", func(t *testing.T) {
		var page string
		events := p.tells(t, func() { page = press(t, admin, p.home, settings, "rebake_test") })
		if diff := cmp.Diff([]told{{Type: "test"}}, events); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !strings.Contains(page, "The test was successful.") {
			t.Error(page)
		}
	})
	t.Run("a test is no edit, and is not counted as one", func(t *testing.T) {
		p.php(t, `delete_option( 'rebake_state' );`)
		if page := press(t, admin, p.home, settings, "rebake_test"); !regexp.MustCompile(`Last edit accepted\s*none yet; a test is no edit`).MatchString(page) {
			t.Errorf("the page says\n%s", page)
		}
	})
	t.Run("an address that is entered", func(t *testing.T) { testPluginAddress(t, p) })
	t.Run("the page never shows the secret", func(t *testing.T) {
		if page := admin.get(t, p.home+"/wp-admin/"+settings).body; strings.Contains(page, secret) || !strings.Contains(page, p.rebake.URL) {
			t.Error(page)
		}
	})
	t.Run("the page says where the secret stands that init has made", func(t *testing.T) {
		const want = "in the file that its secret_file names; rebake init has made one called webhook.secret"
		if page := text(admin.get(t, p.home+"/wp-admin/"+settings).body); !strings.Contains(page, want) {
			t.Errorf("it does not say %q:\n%s", want, page)
		}
	})
	t.Run("a wrong secret is told everywhere, and edits wait until it is right", func(t *testing.T) {
		p.settings(t, p.rebake.URL, "another secret")
		p.silent(t, func() { p.newPost(t, "refused", "Refused") })
		const why = "the secret here is not the one in its rebake.yaml"
		for _, name := range []string{"index.php", settings} {
			if page := text(admin.get(t, p.home+"/wp-admin/"+name).body); !strings.Contains(page, why) {
				t.Errorf("%s does not say %q", name, why)
			}
		}
		if page := text(admin.get(t, p.home+"/wp-admin/"+settings).body); !regexp.MustCompile(`Waiting to be sent\s*post \d+`).MatchString(page) {
			t.Errorf("it does not say what waits:\n%s", page)
		}
		events := p.tells(t, func() {
			p.settings(t, p.rebake.URL, secret)
			get(t, p.home+"/wp-cron.php?doing_wp_cron")
		})
		if len(events) != 1 || events[0].Type != "post" {
			t.Errorf("events %+v", events)
		}
		if page := text(admin.get(t, p.home+"/wp-admin/index.php").body); strings.Contains(page, why) {
			t.Error("the notice stays")
		}
	})
	// save sends the form of the settings, and returns the text of the page that follows.
	save := func(entered url.Values) string {
		page := admin.get(t, p.home+"/wp-admin/"+settings).body
		nonce := regexp.MustCompile(`name="_wpnonce" value="([^"]+)"`).FindStringSubmatch(page)
		for name, value := range map[string]string{"option_page": "rebake", "action": "update", "_wpnonce": nonce[1], "_wp_http_referer": "/wp-admin/" + settings} {
			entered.Set(name, value)
		}
		to := admin.post(t, p.home+"/wp-admin/options.php", entered).header.Get("Location")
		if !strings.HasPrefix(to, "http") {
			to = p.home + to
		}
		return text(admin.get(t, to).body)
	}
	t.Run("the form saves, tests, and keeps a secret that is left empty", func(t *testing.T) {
		if page := save(url.Values{"rebake_settings[url]": {" " + p.rebake.URL + "/_rebake/webhooks/wordpress "}, "rebake_settings[secret]": {""}}); !strings.Contains(page, "The test was successful.") {
			t.Error(page)
		}
	})
	t.Run("an address that is taken away is not tested, and the page says so", func(t *testing.T) {
		defer p.settings(t, p.rebake.URL, secret)
		page := save(url.Values{"rebake_settings[url]": {""}})
		if !strings.Contains(page, "Nothing was tested, and nothing is sent. The address or the secret is missing.") {
			t.Error(page)
		}
	})
	t.Run("an address of another form leaves the old one", func(t *testing.T) {
		defer p.settings(t, p.rebake.URL, secret)
		save(url.Values{"rebake_settings[url][]": {"x"}, "rebake_settings[secret][]": {"another secret"}})
		if got, want := p.php(t, `echo implode( ' ', get_option( 'rebake_settings' ) );`), p.rebake.URL+" "+secret; got != want {
			t.Errorf("it has saved %q, want %q", got, want)
		}
	})
	t.Run("an address that somebody has an administrator open tests nothing", func(t *testing.T) {
		p.silent(t, func() { admin.get(t, p.home+"/wp-admin/"+settings+"&settings-updated=true") })
	})
	t.Run("a test says that no edit will change a page", func(t *testing.T) {
		p.rebake.answers(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"revalidated":true,"pages":0,"message":"the test has come through","problem":"WordPress calls itself another host."}`)
		})
		defer p.rebake.answers(nil)
		const want = "The test failed. Rebake has answered, and takes the signature, but edits would change nothing. WordPress calls itself another host."
		if page := press(t, admin, p.home, settings, "rebake_test"); !strings.Contains(page, want) {
			t.Errorf("it does not say %q:\n%s", want, page)
		}
	})
	t.Run("what waits has the names that people know it by", func(t *testing.T) {
		got := p.php(t, `require_once WP_PLUGIN_DIR . '/rebake/admin/status.php';
			echo rebake_name_events( array(
				array( 'type' => 'comment', 'id' => 4, 'post' => 12, 'post_type' => 'post', 'links' => array() ),
				array( 'type' => 'site', 'what' => 'option:blogname' ),
				array( 'type' => 'site', 'what' => 'menu' ),
				array( 'type' => 'post', 'id' => 12, 'post_type' => 'recipe' ),
				array( 'type' => 'term', 'id' => 3, 'taxonomy' => 'category' ),
				array( 'type' => 'all' ),
			) );`)
		if want := "comment 4 on post 12, setting blogname, menu, recipe 12, category 3 and 1 more"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	})
	t.Run("everything, by hand", func(t *testing.T) {
		var page string
		events := p.tells(t, func() { page = press(t, admin, p.home, tools, "rebake_all") })
		if !cmp.Equal(events, []told{{Type: "all"}}) || !strings.Contains(page, "Rebake makes all pages anew") {
			t.Errorf("events %+v, page:\n%s", events, page)
		}
	})
	post := p.newPost(t, "by-hand", "By hand")
	t.Run("one page, by hand", func(t *testing.T) {
		for route, body := range map[string]fields{"post": {"post": post.ID}, "url": {"url": post.Link}} {
			events := p.tells(t, func() { p.rest(t, http.MethodPost, "/../../rebake/v1/"+route, body, nil) })
			if diff := cmp.Diff([]told{{Type: "manual", Links: []string{post.address(t) + "/"}}}, events); diff != "" {
				t.Errorf("%s (-want +got):\n%s", route, diff)
			}
		}
	})
	t.Run("one page, by hand, of which Rebake makes none", func(t *testing.T) {
		p.rebake.answers(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"revalidated":true,"pages":0,"message":"no route matches /by-hand"}`)
		})
		defer p.rebake.answers(nil)
		got := p.php(t, `$request = new WP_REST_Request(); $request['url'] = home_url( '/' ); echo rebake_rest_url( $request )->get_error_message();`)
		if want := "Rebake does not make this page. no route matches /by-hand"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	})
	t.Run("why a page is not fresh is for administrators", func(t *testing.T) {
		got := p.php(t, fmt.Sprintf(`wp_set_current_user( wp_insert_user( array( 'user_login' => 'asker', 'user_pass' => 'x', 'user_email' => 'asker@example.com', 'role' => 'editor' ) ) );
			echo rebake_freshness( get_post( %d ) )['detail'];`, post.ID))
		if want := "Last looked at 5 mins ago."; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	})
	t.Run("whether a page is fresh", func(t *testing.T) {
		var got struct{ State, Label, Detail string }
		p.rest(t, http.MethodGet, fmt.Sprintf("/../../rebake/v1/freshness?post=%d", post.ID), nil, &got)
		if got.State != "stale" || got.Label != "The public page is being made anew." || !strings.Contains(got.Detail, "5 mins ago. an edit is on its way") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("strangers may not ask", func(t *testing.T) {
		for _, path := range []string{fmt.Sprintf("freshness?post=%d", post.ID), "post", "url", "freshness?post=999999"} {
			method := http.MethodPost
			if strings.HasPrefix(path, "freshness") {
				method = http.MethodGet
			}
			p.silent(t, func() {
				req := newRequest(t, method, p.home+"/wp-json/rebake/v1/"+path, fmt.Sprintf(`{"post":%d,"url":%q}`, post.ID, post.Link))
				req.Header.Set("Content-Type", "application/json")
				if a := newVisitor(t).do(t, req); a.status != http.StatusUnauthorized {
					t.Errorf("%s: %s", path, a)
				}
			})
		}
	})
	t.Run("the admin bar has a link, where there is a page", func(t *testing.T) {
		for path, want := range map[string]bool{
			post.address(t) + "/": true, "/": true, "/?virtual": true, "/not-there/": false, "/?s=hand": false, "/wp-admin/index.php": false,
			fmt.Sprintf("/wp-admin/post.php?post=%d&action=edit&classic-editor", post.ID): false, // it is in full screen
		} {
			page := admin.get(t, p.home+path).body
			if got := strings.Contains(page, "wp-admin-bar-rebake"); got != want && !strings.HasPrefix(path, "/wp-admin/post.php") {
				t.Errorf("%s: link %t, want %t", path, got, want)
			}
		}
	})
}

// testPluginDiagnosis asks at addresses with all that can be wrong about one.
func testPluginAddress(t *testing.T, p *plugged) {
	for entered, want := range map[string]string{
		"127.0.0.1:8600": "http://127.0.0.1:8600", "localhost:8600": "http://localhost:8600", "192.168.1.5:8600": "http://192.168.1.5:8600",
		"[::1]:8600": "http://[::1]:8600", "rebake:8600": "http://rebake:8600", "https://rebake.example": "https://rebake.example", "": "",
		"rebake.example:8600": "the old one", "8.8.8.8:8600": "the old one", "ftp://rebake.example": "the old one", "http://": "the old one",
	} {
		got := p.php(t, fmt.Sprintf(`require_once ABSPATH . 'wp-admin/includes/admin.php';
			require_once WP_PLUGIN_DIR . '/rebake/admin/settings-page.php';
			echo rebake_sanitize_url( '%s', 'the old one' ) . '|' . wp_json_encode( wp_list_pluck( get_settings_errors(), 'message' ) );`, entered))
		url, said, _ := strings.Cut(got, "|")
		if told := strings.Contains(said, "begin with http:"); url != want || told != (want == "the old one") {
			t.Errorf("%q is saved as %q and says %s, want %q", entered, url, said, want)
		}
	}
}

func testPluginDiagnosis(t *testing.T, p *plugged) {
	says := func(status int, header, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if name, value, ok := strings.Cut(header, ": "); ok {
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(release) })
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)

	for _, of := range []struct{ name, url, secret, want string }{
		{"right", p.rebake.URL, secret, "Rebake has answered, and takes the signature."},
		{"with its path", p.rebake.URL + "/_rebake/webhooks/wordpress", secret, "Rebake has answered"},
		{"nothing entered", "", secret, "The address or the secret is missing."},
		{"no secret", p.rebake.URL, "", "The address or the secret is missing."},
		{"no address", "rebake.example:8600", secret, "begin with http:// or https://"},
		{"this machine, without http://", strings.TrimPrefix(p.rebake.URL, "http://"), secret, "Rebake has answered"},
		{"the admin address", says(404, "Content-Type: application/json", `{"revalidated":false,"error":"admin_address","message":"here are no webhooks"}`), secret, `Enter http:// and what "listen" says in rebake.yaml`},
		{"a path of the admin address", says(401, "WWW-Authenticate: Bearer", `{"revalidated":false,"error":"unauthorized","message":"Invalid token"}`) + "/v1/status", secret, `that its own commands use ("admin")`},
		{"nobody there", "http://" + freePort(t), secret, "Nothing listens at 127.0.0.1:"},
		{"no answer", silent.URL, secret, "did not answer in time"},
		{"a host that is not let out", "http://rebake.example", secret, "Add rebake.example to WP_ACCESSIBLE_HOSTS there."},
		{"a certificate that nobody knows", secure.URL, secret, "No trusted connection to 127.0.0.1:"},
		{"another secret", p.rebake.URL, "another secret", "the secret here is not the one in its rebake.yaml"},
		{"another clock", says(401, "Date: "+time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), `{"revalidated":false}`), secret, "are 1 hour apart"},
		{"another webhook", says(404, "Content-Type: application/json", `{"revalidated":false,"error":"unknown_webhook","message":"there is no such webhook"}`) + "/_rebake/webhooks/wp", secret, "There is no webhook at /_rebake/webhooks/wp."},
		{"the path for triggers, which knows no signature", says(401, "Content-Type: application/json", `{"revalidated":false,"error":"unauthorized","message":"Invalid token"}`) + "/api/revalidate", secret, "takes no events at /api/revalidate. Leave the path out, or enter /_rebake/webhooks/NAME"},
		{"another path", says(404, "Content-Type: application/json", `{"revalidated":false,"error":"not_found","message":"nothing is served here"}`) + "/events", secret, "takes no events at /events."},
		{"WordPress itself", p.origin, secret, `but it is not Rebake; it may be WordPress itself. Enter http:// and what "listen" says`},
		{"another server", says(200, "Content-Type: text/html", "<h1>It works</h1>"), secret, "but it is not Rebake"},
		{"another server that speaks JSON", says(200, "Content-Type: application/json", `{"ok":true}`), secret, "but it is not Rebake"},
		{"a server that asks for a password", says(401, "", "Authorization required"), secret, "Something in front of Rebake"},
		{"a redirect", says(301, "Location: https://other.example/", ""), secret, "leads on to https://other.example/"},
		{"a Rebake that cannot", says(503, "Content-Type: application/json", `{"revalidated":false,"message":"Redis is away"}`), secret, "cannot take this now (503). Redis is away"},
		{"a Rebake that does not understand", says(400, "Content-Type: application/json", `{"revalidated":false,"message":"no events"}`), secret, "does not understand the request (400)"},
	} {
		t.Run(of.name, func(t *testing.T) {
			seconds := 5
			if of.url == silent.URL {
				seconds = 1 // see patience.php
			}
			got := p.php(t, fmt.Sprintf(`add_filter( 'pre_option_rebake_settings', function () { return array( 'url' => '%s', 'secret' => '%s' ); } );
				echo rebake_explain( rebake_send( array( 'events' => array( array( 'type' => 'test' ) ) ), %d ) );`, of.url, of.secret, seconds))
			if !strings.Contains(got, of.want) {
				t.Errorf("it says %q, want %q", got, of.want)
			}
		})
	}
	t.Run("constants come first", func(t *testing.T) {
		got := p.php(t, `define( 'REBAKE_URL', 'https://rebake.example/_rebake/webhooks/mine' ); define( 'REBAKE_SECRET', ' spaces around ' ); echo rebake_endpoint() . ' ' . rebake_setting( 'secret' );`)
		if want := "https://rebake.example/_rebake/webhooks/mine spaces around"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
