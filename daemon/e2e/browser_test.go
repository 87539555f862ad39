package e2e

import (
	"context"
	"fmt"
	"iter"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// browser is a real Chromium with an empty profile.
type browser struct {
	t       *testing.T
	ctx     context.Context // of the tab
	console iter.Seq2[chromedp.ConsoleMessage, error]
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	need(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.WSURLReadTimeout(hung))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, end := chromedp.NewExecAllocator(context.Background(), options...) // t.Context is over before it can be closed
	t.Cleanup(end)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("close the browser: %v", err)
		}
	})
	return &browser{t: t, ctx: ctx, console: chromedp.Console(ctx)}
}

// do runs what has to succeed.
func do[T any](b *browser, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, hung)
	defer cancel()
	got, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return got
}

// open loads a page as its address says.
func (b *browser) open(url string) {
	b.t.Helper()
	do(b, "open "+url, chromedp.Navigate(url))
	b.mark()
}

// mark is in the window until another page is loaded.
func (b *browser) mark() {
	b.t.Helper()
	do(b, "mark the window", chromedp.Evaluate[bool](`window.marked = true`))
}

// marked reports whether no page was loaded since.
func (b *browser) marked() bool {
	b.t.Helper()
	return do(b, "look for the mark", chromedp.Evaluate[bool](`window.marked === true`))
}

// awaitLook evaluates an expression in the page that is there until it has the
// value that is waited for, and returns the last one. The browser breaks off an
// evaluation when the next page comes in the middle of it: that is no answer yet.
func awaitLook[T any](b *browser, expression string, done func(T) bool) (got T, err error) {
	b.t.Helper()
	took, in := await(hung, func() bool {
		ctx, cancel := context.WithTimeout(b.ctx, hung)
		defer cancel()
		got, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression))
		return err == nil && done(got)
	})
	if !in && err == nil {
		err = fmt.Errorf("it is so after %s", took)
	}
	return got, err
}

// alive finds what React and Vue leave in an element that they take care of.
// Before that, a click loads the next page as a whole.
const alive = `Reflect.ownKeys(document.getElementById(%q) ?? {}).some(k => /__reactProps|_vei/.test(String(k)))`

// follow clicks a link, by its id, and waits until the heading says something.
func (b *browser) follow(link, heading string) {
	b.t.Helper()
	if _, err := awaitLook(b, fmt.Sprintf(alive, link), func(is bool) bool { return is }); err != nil {
		b.t.Fatalf("no script takes care of the link %s: %v", link, err)
	}
	do(b, "click "+link, chromedp.Click(chromedp.ID(link)))
	b.awaitHeading(heading)
}

func (b *browser) awaitHeading(want string) {
	b.t.Helper()
	if got, err := awaitLook(b, `document.querySelector('h1')?.textContent ?? ''`, func(is string) bool { return is == want }); err != nil {
		b.t.Fatalf("the heading is %q, want %q: %v", got, want, err)
	}
}

// checkConsole fails when there was an error. It can be called once.
func (b *browser) checkConsole() {
	b.t.Helper()
	const end = "the test looks at the console"
	do(b, "write to the console", chromedp.Evaluate[chromedp.Void](`console.log("`+end+`")`))
	for m, err := range b.console {
		switch {
		case err != nil:
			b.t.Errorf("read the console: %v", err)
		case m.Text == end:
			return
		case m.Type == chromedp.ConsoleException || m.Type == "error":
			b.t.Errorf("in the console: %s (%s)", m.Text, m.URL)
		}
	}
}
