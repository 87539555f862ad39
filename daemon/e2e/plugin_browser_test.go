package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// awaitText waits until an element says something.
func (b *browser) awaitText(selector, want string) {
	b.t.Helper()
	text := fmt.Sprintf(`document.querySelector(%q)?.textContent ?? ''`, selector)
	if got, err := awaitLook(b, text, func(is string) bool { return strings.Contains(is, want) }); err != nil {
		b.t.Fatalf("%s says %q, want %q: %v", selector, got, want, err)
	}
}

// press clicks an element, also one that another covers.
func (b *browser) press(selector string) {
	b.t.Helper()
	do(b, "click "+selector, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).click()`, selector)))
}

// testPluginBrowser uses what the plugin's scripts add, as an editor does.
func testPluginBrowser(t *testing.T, p *plugged) {
	post := p.newPost(t, "seen", "Seen")
	b := newBrowser(t)
	b.open(p.home + "/wp-login.php")
	do(b, "sign in", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`document.querySelector('#user_login').value = %q; document.querySelector('#user_pass').value = %q; document.querySelector('#loginform').submit()`,
		editorName, editorPassword)))
	b.awaitText("#wpadminbar", "Howdy")
	manual := []told{{Type: "manual", Links: []string{post.address(t) + "/"}}}

	// The panel of the block editor says whether the page is fresh.
	b.open(fmt.Sprintf("%s/wp-admin/post.php?post=%d&action=edit", p.home, post.ID))
	b.awaitText("#editor", "Update")
	do(b, "show the settings, which small windows hide", chromedp.Evaluate[chromedp.Void](`void wp.data.dispatch('core/edit-post').openGeneralSidebar('edit-post/document')`))
	b.awaitText(".rebake-panel", "Rebake: on its way")
	b.press(".rebake-panel button")
	b.awaitText(".rebake-panel .rebake-detail", "Last looked at 5 mins ago. an edit is on its way")

	// Its button has the page made anew.
	told := func(do func()) []told {
		return p.tells(t, func() {
			do()
			await(soon, func() bool { return p.rebake.has(1) })
		})
	}
	if diff := cmp.Diff(manual, told(func() { b.press(".rebake-panel .rebake-detail + button") })); diff != "" {
		t.Errorf("the button (-want +got):\n%s", diff)
	}

	// After a save the panel asks again.
	events := told(func() {
		p.rebake.answersFreshness("fresh")
		do(b, "save", chromedp.Evaluate[chromedp.Void](`void wp.data.dispatch('core/editor').editPost({title: 'Seen again'}); void wp.data.dispatch('core/editor').savePost()`))
	})
	if len(events) != 1 || events[0].ID != post.ID {
		t.Errorf("a save tells %+v", events)
	}
	b.awaitText(".rebake-panel", "Rebake: up to date")

	// The link in the admin bar has the page made anew too.
	b.open(post.Link)
	events = told(func() { b.press("#wp-admin-bar-rebake > a") })
	if diff := cmp.Diff(manual, events); diff != "" {
		t.Errorf("the link (-want +got):\n%s", diff)
	}
	b.awaitText("#wp-admin-bar-rebake", "Rebake is at it")
}
