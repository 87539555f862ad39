package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// pluginFiles is our plugin for WordPress.
const pluginFiles = "../../scripts/wordpress/rebake"

// told is an event that the plugin sends.
type told struct {
	Type           string   `json:"type"`
	ID             int      `json:"id"`
	PostType       string   `json:"post_type"`
	RESTBase       string   `json:"rest_base"`
	Status         string   `json:"status"`
	OldStatus      string   `json:"old_status"`
	Modified       string   `json:"modified_gmt"`
	Links          []string `json:"links"`
	OldLinks       []string `json:"old_links"`
	Archives       []string `json:"archives"`
	OldArchives    []string `json:"old_archives"`
	Terms          []string `json:"terms"`
	OldTerms       []string `json:"old_terms"`
	Author         int      `json:"author"`
	OldAuthor      int      `json:"old_author"`
	Listed         bool     `json:"listed"`
	Descendants    []string `json:"descendants"`
	OldDescendants []string `json:"old_descendants"`
	Taxonomy       string   `json:"taxonomy"`
	Action         string   `json:"action"`
	What           string   `json:"what"`
	Post           int      `json:"post"`
}

// telling is a request of the plugin.
type telling struct {
	Source  string   `json:"source"`
	Version int      `json:"version"`
	Home    string   `json:"home"`
	Events  []told   `json:"events"`
	Ask     []string `json:"ask"`
}

// receiver stands where Rebake would be: it keeps what the plugin sends, and
// answers as Rebake does.
type receiver struct {
	*httptest.Server
	mu        sync.Mutex
	got       []telling
	problems  []string
	answer    http.HandlerFunc // in the place of Rebake's; nil is none
	freshness string           // of every page
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{freshness: "stale"}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var said telling
	if err == nil {
		err = json.Unmarshal(body, &said)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answer != nil {
		r.answer(w, req)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case err != nil || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" || said.Source != "wordpress" || said.Version != 1:
		r.problems = append(r.problems, fmt.Sprintf("%s %s %q: %v", req.Method, req.URL, body, err))
		w.WriteHeader(http.StatusBadRequest)
	case !rightlySigned(req.Header, body):
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"revalidated":false,"message":"Invalid signature"}`)
	case req.URL.Path != "/_rebake/webhooks/wordpress":
		http.NotFound(w, req)
	case len(said.Ask) > 0:
		fmt.Fprintf(w, `{"pages":[{"url":%q,"path":"/","freshness":%q,"at":%q,"reason":"an edit is on its way"}]}`, said.Ask[0], r.freshness, time.Now().Add(-5*time.Minute).Format(time.RFC3339))
	default:
		r.got = append(r.got, said)
		fmt.Fprint(w, `{"revalidated":true,"now":1,"id":"a","pages":1}`)
	}
}

// rightlySigned is what the Standard Webhooks say, with the secret as it is.
func rightlySigned(h http.Header, body []byte) bool {
	sent, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%d.%s", h.Get("webhook-id"), sent, body)
	return err == nil && h.Get("webhook-id") != "" && time.Since(time.Unix(sent, 0)).Abs() < time.Minute &&
		h.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// answers has the receiver answer in another way, until it is given nil.
func (r *receiver) answers(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// answersFreshness says how pages are from now on.
func (r *receiver) answersFreshness(freshness string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.freshness = freshness
}

// has reports whether there were n requests since the last call of take.
func (r *receiver) has(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got) >= n
}

// take returns the requests since the last call.
func (r *receiver) take(t *testing.T) []telling {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, problem := range r.problems {
		t.Error(problem)
	}
	got := r.got
	r.got, r.problems = nil, nil
	return got
}

// plugged is a WordPress with our plugin, and what hears it.
type plugged struct {
	*wordPress
	rebake *receiver
	notes  string // a file with what PHP has to say of the plugin
}

// newPlugged installs a site with the plugin.
func newPlugged(t *testing.T, s *server, database string) *plugged {
	t.Helper()
	addr := freePort(t)
	home := "http://" + addr
	p := &plugged{rebake: newReceiver(t), notes: filepath.Join(t.TempDir(), "notes")}
	p.wordPress = s.newWordPress(t, database, addr, home, "http://127.0.0.1:1")
	p.install(t, `<?php
error_reporting( E_ALL );
set_error_handler( function ( $level, $text, $file, $line ) {
	if ( false !== strpos( $file, '/plugins/rebake/' ) ) {
		file_put_contents( '`+p.notes+`', "$text in $file:$line\n", FILE_APPEND );
	}
	return true;
} );
add_action( 'init', function () {
	register_post_type( 'recipe', array( 'public' => true, 'has_archive' => 'cookbook', 'show_in_rest' => true, 'rest_base' => 'recipes' ) );
	register_post_type( 'secret_note', array( 'public' => false, 'show_in_rest' => true ) );
	if ( isset( $_GET['first-look'] ) ) { // what WordPress 6.3 and newer do for a theme of blocks
		wp_insert_post( array( 'post_type' => 'wp_navigation', 'post_status' => 'publish', 'post_title' => 'Navigation' ) );
	}
} );
add_action( 'wp', function () {
	if ( isset( $_GET['virtual'] ) ) { // what plugins for events, shops and members do
		$GLOBALS['wp_query']->is_singular    = true;
		$GLOBALS['wp_query']->queried_object = (object) array( 'ID' => -1, 'post_title' => 'A page of no post' );
	}
} );`)
	p.php(t, `foreach ( array( 1, 2 ) as $id ) { wp_delete_post( $id, true ); }
		update_option( 'default_comment_status', 'open' );
		activate_plugin( 'rebake/rebake.php' );`)
	p.settings(t, p.rebake.URL, secret)
	p.rebake.take(t)
	return p
}

func (p *plugged) settings(t *testing.T, url, secret string) {
	t.Helper()
	p.php(t, fmt.Sprintf(`update_option( 'rebake_settings', array( 'url' => '%s', 'secret' => '%s' ) );`, url, secret))
}

// tells does something to WordPress, and returns the events of the one request
// that the plugin makes of it, with addresses less the home's. An answer of
// WordPress ends after the plugin's work.
func (p *plugged) tells(t *testing.T, do func()) []told {
	t.Helper()
	p.rebake.take(t)
	do()
	got := p.rebake.take(t)
	if len(got) != 1 {
		t.Fatalf("%d requests, want one: %+v", len(got), got)
	}
	if got[0].Home != p.home+"/" {
		t.Errorf("home is %q, want %q", got[0].Home, p.home+"/")
	}
	for i := range got[0].Events {
		e := &got[0].Events[i]
		for _, list := range []*[]string{&e.Links, &e.OldLinks, &e.Archives, &e.OldArchives, &e.Descendants, &e.OldDescendants} {
			*list = p.relative(t, *list)
		}
	}
	return got[0].Events
}

// silent does something that nobody in public can see.
func (p *plugged) silent(t *testing.T, do func()) {
	t.Helper()
	p.rebake.take(t)
	do()
	if got := p.rebake.take(t); len(got) > 0 {
		t.Errorf("it tells of what nobody can see: %+v", got)
	}
}

// relative are the paths of addresses below the home, in order.
func (p *plugged) relative(t *testing.T, urls []string) []string {
	t.Helper()
	var paths []string
	for _, url := range urls {
		path, ok := strings.CutPrefix(url, p.home)
		if !ok {
			t.Errorf("%q is not below %s", url, p.home)
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
