package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// equalLists takes lists for equal whatever their order; none is as good as an
// empty one.
var equalLists = cmp.Options{cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b string) bool { return a < b })}

func testPluginPages(t *testing.T, p *plugged) {
	parent := p.create(t, "pages", fields{"slug": "about", "title": "About", "status": "publish"})
	child := p.create(t, "pages", fields{"slug": "team", "title": "Team", "status": "publish", "parent": parent.ID})
	p.create(t, "pages", fields{"slug": "ana", "title": "Ana", "status": "publish", "parent": child.ID})
	p.create(t, "pages", fields{"slug": "hidden", "title": "Hidden", "status": "draft", "parent": parent.ID})

	t.Run("an edit moves nothing", func(t *testing.T) {
		events := p.tells(t, func() { p.edit(t, "pages", parent.ID, fields{"content": "We."}) })
		if len(events) != 1 || len(events[0].Descendants)+len(events[0].OldDescendants) > 0 || events[0].Listed {
			t.Errorf("events %+v", events)
		}
	})
	t.Run("a page lists those below it", func(t *testing.T) {
		events := p.tells(t, func() { p.edit(t, "pages", child.ID, fields{"title": "The team"}) })
		if len(events) != 1 || !cmp.Equal(events[0].Archives, []string{"/", "/about/"}) || !events[0].Listed {
			t.Errorf("events %+v", events)
		}
	})
	t.Run("a new slug moves all below", func(t *testing.T) {
		events := p.tells(t, func() { p.edit(t, "pages", parent.ID, fields{"slug": "us"}) })
		want := told{
			Type: "post", ID: parent.ID, PostType: "page", RESTBase: "pages", Status: "publish", OldStatus: "publish",
			Links: []string{"/us/"}, OldLinks: []string{"/about/"}, Archives: []string{"/"}, OldArchives: []string{"/"},
			Author: 1, OldAuthor: 1, Listed: true, Modified: events[0].Modified,
			Descendants: []string{"/us/team/", "/us/team/ana/"}, OldDescendants: []string{"/about/team/", "/about/team/ana/"},
		}
		if diff := cmp.Diff([]told{want}, events, equalLists); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("so does another parent", func(t *testing.T) {
		events := p.tells(t, func() { p.edit(t, "pages", child.ID, fields{"parent": 0}) })
		if len(events) != 1 || !cmp.Equal(events[0].Descendants, []string{"/team/ana/"}) || !cmp.Equal(events[0].OldDescendants, []string{"/us/team/ana/"}) {
			t.Errorf("events %+v", events)
		}
	})
	t.Run("so does the end of the page above", func(t *testing.T) {
		events := p.tells(t, func() { p.rest(t, http.MethodDelete, fmt.Sprintf("/pages/%d?force=true", child.ID), nil, nil) })
		if len(events) != 1 || !cmp.Equal(events[0].Descendants, []string{"/ana/"}) || !cmp.Equal(events[0].OldDescendants, []string{"/team/ana/"}) {
			t.Errorf("events %+v", events)
		}
	})
}

func testPluginHidden(t *testing.T, p *plugged) {
	public := p.newPost(t, "public", "Public")
	draft := p.create(t, "posts", fields{"slug": "draft", "title": "Draft"})
	for what, do := range map[string]func(){
		"a new draft":          func() { p.create(t, "posts", fields{"title": "Not yet"}) },
		"a draft's edit":       func() { p.edit(t, "posts", draft.ID, fields{"title": "Not yet either", "sticky": true}) },
		"a draft's meta":       func() { p.php(t, fmt.Sprintf(`update_post_meta( %d, 'price', 5 );`, draft.ID)) },
		"a draft's trash":      func() { p.trash(t, "posts", p.create(t, "posts", fields{"title": "Never"}).ID) },
		"an autosave":          func() { p.create(t, fmt.Sprintf("posts/%d/autosaves", public.ID), fields{"content": "As I write."}) },
		"an editor's lock":     func() { p.php(t, fmt.Sprintf(`wp_set_post_lock( %d );`, public.ID)) },
		"a count of visits":    func() { p.php(t, fmt.Sprintf(`update_post_meta( %d, 'post_views_count', 5 );`, public.ID)) },
		"a visit":              func() { get(t, p.home+public.address(t)+"/") },
		"a type without pages": func() { p.create(t, "secret_note", fields{"title": "Psst", "status": "publish"}) },
		"a new password":       func() { p.php(t, `wp_update_user( array( 'ID' => 1, 'description' => '' ) );`) },
		"a reader's profile": func() {
			p.php(t, `wp_update_user( array( 'ID' => wp_create_user( 'reader', 'x', 'r@example.com' ), 'display_name' => 'A Reader' ) );`)
		},
		"a setting of the admin": func() { p.php(t, `update_option( 'mailserver_port', 5 ); set_transient( 'x', 5 );`) },
		"an upload": func() {
			p.php(t, `wp_insert_attachment( array( 'post_title' => 'Cat', 'post_mime_type' => 'image/png' ), 'cat.png' );`)
		},
		"the first look at the editor, which makes empty styles": func() {
			p.php(t, `WP_Theme_JSON_Resolver::get_user_global_styles_post_id();`)
		},
		"the first visit, which makes a menu": func() { get(t, p.home+"/?first-look") },
		"a cron run":                          func() { get(t, p.home+"/wp-cron.php?doing_wp_cron") },
	} {
		t.Run(what, func(t *testing.T) { p.silent(t, do) })
	}
}

func testPluginTerms(t *testing.T, p *plugged) {
	top := p.create(t, "categories", fields{"name": "Top", "slug": "top"})
	var below item
	t.Run("a new one", func(t *testing.T) {
		events := p.tells(t, func() {
			below = p.create(t, "categories", fields{"name": "Below", "slug": "below", "parent": top.ID})
		})
		compare(t, events, "term", told{
			Taxonomy: "category", ID: below.ID, Action: "created", Links: []string{"/category/top/below/"}, Archives: []string{"/category/top/"},
		})
	})
	t.Run("another slug, which those below have too", func(t *testing.T) {
		events := p.tells(t, func() { p.edit(t, "categories", top.ID, fields{"slug": "up"}) })
		want := []told{
			{
				Type: "term", Taxonomy: "category", ID: top.ID, Action: "edited", Links: []string{"/category/up/"}, OldLinks: []string{"/category/top/"},
				Archives: []string{"/category/up/below/", "/category/top/below/"},
			},
			{ // to which its posts have links
				Type: "term", Taxonomy: "category", ID: below.ID, Action: "edited", Links: []string{"/category/up/below/"}, OldLinks: []string{"/category/top/below/"},
			},
		}
		if diff := cmp.Diff(want, events, equalLists); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("another name, which those below do not have", func(t *testing.T) {
		if events := p.tells(t, func() { p.edit(t, "categories", top.ID, fields{"name": "Up"}) }); len(events) != 1 {
			t.Errorf("events %+v", events)
		}
	})
	t.Run("the end of the one above", func(t *testing.T) {
		over := p.create(t, "categories", fields{"name": "Over", "slug": "over"})
		under := p.create(t, "categories", fields{"name": "Under", "slug": "under", "parent": over.ID})
		events := p.tells(t, func() { p.rest(t, http.MethodDelete, fmt.Sprintf("/categories/%d?force=true", over.ID), nil, nil) })
		i := slices.IndexFunc(events, func(e told) bool { return e.ID == under.ID })
		if i < 0 || events[i].Type != "term" || !cmp.Equal(events[i].Links, []string{"/category/under/"}) || !cmp.Equal(events[i].OldLinks, []string{"/category/over/under/"}) {
			t.Errorf("events %+v", events)
		}
	})
	t.Run("its end, with the posts that it had", func(t *testing.T) {
		post := p.newPost(t, "sorted", "Sorted", below.ID)
		events := p.tells(t, func() { p.rest(t, http.MethodDelete, fmt.Sprintf("/categories/%d?force=true", below.ID), nil, nil) })
		compare(t, events, "term", told{
			Taxonomy: "category", ID: below.ID, Action: "deleted", OldLinks: []string{"/category/up/below/"}, Archives: []string{"/category/up/"},
		})
		i := slices.IndexFunc(events, func(e told) bool { return e.Type == "post" })
		if i < 0 || events[i].ID != post.ID || !cmp.Equal(events[i].OldTerms, []string{fmt.Sprintf("category:%d", below.ID)}) || !cmp.Equal(events[i].Terms, []string{"category:1"}) || !events[i].Listed {
			t.Errorf("events %+v", events)
		}
	})
}

// compare looks for the events of a type, of which there has to be one.
func compare(t *testing.T, events []told, kind string, want told) {
	t.Helper()
	want.Type = kind
	got := slices.DeleteFunc(slices.Clone(events), func(e told) bool { return e.Type != kind })
	if diff := cmp.Diff([]told{want}, got, equalLists); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func testPluginComments(t *testing.T, p *plugged) {
	post := p.newPost(t, "discussed", "Discussed")
	draft := p.create(t, "posts", fields{"slug": "undiscussed", "title": "Undiscussed"})
	comment := func(status string) item {
		return p.create(t, "comments", fields{"post": post.ID, "content": "I say " + status, "status": status})
	}
	var said item
	check := func(name string, do func()) {
		t.Run(name, func(t *testing.T) {
			events := p.tells(t, do)
			compare(t, events, "comment", told{ID: said.ID, Post: post.ID, PostType: "post", Links: []string{post.address(t) + "/"}})
			if len(events) != 1 {
				t.Errorf("events %+v", events)
			}
		})
	}
	check("a new one", func() { said = comment("approved") })
	check("an edit", func() { p.edit(t, "comments", said.ID, fields{"content": "I meant!"}) })
	check("held", func() { p.edit(t, "comments", said.ID, fields{"status": "hold"}) })
	check("approved", func() { p.edit(t, "comments", said.ID, fields{"status": "approved"}) })
	check("spam", func() { p.edit(t, "comments", said.ID, fields{"status": "spam"}) })
	check("no spam", func() { p.edit(t, "comments", said.ID, fields{"status": "approved"}) })
	check("deleted", func() {
		p.rest(t, http.MethodDelete, fmt.Sprintf("/comments/%d?force=true", said.ID), nil, nil)
	})
	t.Run("one that waits, and its edit", func(t *testing.T) {
		p.silent(t, func() { said = comment("hold") })
		p.silent(t, func() { p.edit(t, "comments", said.ID, fields{"content": "Still here."}) })
		p.silent(t, func() { p.trash(t, "comments", said.ID) })
	})
	t.Run("one below a draft", func(t *testing.T) {
		p.silent(t, func() {
			p.php(t, fmt.Sprintf(`wp_insert_comment( array( 'comment_post_ID' => %d, 'comment_content' => 'Hm', 'comment_approved' => 1 ) );`, draft.ID))
		})
	})
}

func testPluginSite(t *testing.T, p *plugged) {
	what := func(names ...string) []told {
		var events []told
		for _, name := range names {
			events = append(events, told{Type: "site", What: name})
		}
		return events
	}
	picture := 0
	for _, of := range []struct {
		name string
		do   string
		want []told
	}{
		{"the title", `update_option( 'blogname', 'Another name' );`, what("option:blogname")},
		{"how many posts a page has", `update_option( 'posts_per_page', 7 );`, what("option:posts_per_page")},
		{"a widget", `update_option( 'widget_text', array( 5 => array( 'text' => 'Hi' ) ) );`, what("option:widget_text")},
		{"a choice of the theme", `set_theme_mod( 'color', 'red' );`, what("option:theme_mods_twentytwentythree")},
		{"another theme", `do_action( 'switch_theme', 'X', wp_get_theme(), wp_get_theme() );`, what("theme")},
		{"another plugin", `activate_plugin( 'akismet/akismet.php' );`, what("plugin:akismet")},
		{"that plugin's end", `deactivate_plugins( 'akismet/akismet.php' );`, what("plugin:akismet")},
		{"a template", `wp_insert_post( array( 'post_type' => 'wp_template', 'post_status' => 'publish', 'post_title' => 'x', 'post_name' => 'index', 'post_content' => 'y' ) );`, what("template")},
		{"a block of blocks", `wp_insert_post( array( 'post_type' => 'wp_block', 'post_status' => 'publish', 'post_title' => 'x' ) );`, what("block")},
		{"a new menu's item", `$menu = wp_create_nav_menu( 'Main' ); wp_update_nav_menu_item( $menu, 0, array( 'menu-item-title' => 'Home', 'menu-item-url' => '/', 'menu-item-status' => 'publish' ) );`, what("menu")},
		{"the end of a menu", `wp_delete_nav_menu( 'Main' );`, what("menu", "option:theme_mods_twentytwentythree")},
		{"the author's name", `wp_update_user( array( 'ID' => 1, 'display_name' => 'Ed Itor' ) );`, []told{{Type: "user", ID: 1, Links: []string{"/author/editor/"}, OldLinks: []string{"/author/editor/"}}}},
		{"the author's address", `wp_update_user( array( 'ID' => 1, 'user_nicename' => 'ed' ) );`, []told{{Type: "user", ID: 1, Links: []string{"/author/ed/"}, OldLinks: []string{"/author/editor/"}}}},
		{"more than anybody edits", `foreach ( range( 1, 600 ) as $i ) { rebake_note_site( "thing $i" ); }`, []told{{Type: "all"}}},
	} {
		t.Run(of.name, func(t *testing.T) {
			events := p.tells(t, func() { p.php(t, of.do) })
			if diff := cmp.Diff(of.want, events, equalLists); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a picture's description, and its end", func(t *testing.T) {
		id := p.php(t, `echo wp_insert_attachment( array( 'post_title' => 'Cat', 'post_mime_type' => 'image/png' ), 'cat.png' );`)
		fmt.Sscan(id, &picture)
		for _, do := range []string{`update_post_meta( %d, '_wp_attachment_image_alt', 'A cat' );`, `wp_update_post( array( 'ID' => %d, 'post_excerpt' => 'My cat' ) );`, `wp_delete_attachment( %d, true );`} {
			compare(t, p.tells(t, func() { p.php(t, fmt.Sprintf(do, picture)) }), "media", told{ID: picture})
		}
	})
	t.Run("an upload to a post, which may have a gallery", func(t *testing.T) {
		post := p.newPost(t, "gallery", "Gallery")
		events := p.tells(t, func() {
			p.php(t, fmt.Sprintf(`wp_insert_attachment( array( 'post_title' => 'Dog', 'post_mime_type' => 'image/png' ), 'dog.png', %d );`, post.ID))
		})
		if len(events) != 1 || events[0].ID != post.ID || events[0].Listed {
			t.Errorf("events %+v", events)
		}
	})
}
