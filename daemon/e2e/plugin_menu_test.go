package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testPluginMenus is what becomes of a menu, which all pages have, when what it
// leads to changes.
func testPluginMenus(t *testing.T, p *plugged) {
	page := func(slug string, parent int) item {
		return p.create(t, "pages", fields{"slug": slug, "title": slug, "status": "publish", "parent": parent})
	}
	above := page("above", 0)
	in, out := page("in-menu", above.ID), page("in-none", 0)
	top := p.create(t, "categories", fields{"name": "Menu", "slug": "menu-top"})
	below := p.create(t, "categories", fields{"name": "Below", "slug": "menu-below", "parent": top.ID})
	p.php(t, fmt.Sprintf(`$menu = wp_create_nav_menu( 'Pages' );
		wp_update_nav_menu_item( $menu, 0, array( 'menu-item-type' => 'post_type', 'menu-item-object' => 'page', 'menu-item-object-id' => %d, 'menu-item-status' => 'publish' ) );
		wp_update_nav_menu_item( $menu, 0, array( 'menu-item-type' => 'taxonomy', 'menu-item-object' => 'category', 'menu-item-object-id' => %d, 'menu-item-status' => 'publish' ) );`, in.ID, below.ID))

	for _, of := range []struct {
		name string
		do   func()
		want bool
	}{
		{"the text of its page", func() { p.edit(t, "pages", in.ID, fields{"content": "Text."}) }, false},
		{"the order of its page", func() { p.edit(t, "pages", in.ID, fields{"menu_order": 5}) }, false},
		{"the title of its page", func() { p.edit(t, "pages", in.ID, fields{"title": "In the menu"}) }, true},
		{"the slug of its page", func() { p.edit(t, "pages", in.ID, fields{"slug": "in-the-menu"}) }, true},
		{"the slug of the page above its page", func() { p.edit(t, "pages", above.ID, fields{"slug": "over"}) }, true},
		{"the title of the page above its page", func() { p.edit(t, "pages", above.ID, fields{"title": "Over"}) }, false},
		{"the slug of another page", func() { p.edit(t, "pages", out.ID, fields{"slug": "in-no-menu"}) }, false},
		{"the status of its page", func() { p.edit(t, "pages", in.ID, fields{"status": "draft"}) }, true},
		{"the trash for its page, which was a draft", func() { p.trash(t, "pages", in.ID) }, true},
		{"the description of its category", func() { p.edit(t, "categories", below.ID, fields{"description": "Text."}) }, false},
		{"the name of its category", func() { p.edit(t, "categories", below.ID, fields{"name": "In the menu"}) }, true},
		{"the slug of its category", func() { p.edit(t, "categories", below.ID, fields{"slug": "menu-under"}) }, true},
		{"the slug of the category above", func() { p.edit(t, "categories", top.ID, fields{"slug": "menu-over"}) }, true},
		{"the name of the category above", func() { p.edit(t, "categories", top.ID, fields{"name": "Over"}) }, false},
	} {
		t.Run(of.name, func(t *testing.T) {
			var got []told
			for _, event := range p.tells(t, of.do) {
				if event.Type == "site" {
					got = append(got, event)
				}
			}
			var want []told
			if of.want {
				want = []told{{Type: "site", What: "menu"}}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	p.php(t, `wp_delete_nav_menu( 'Pages' );`)
}
