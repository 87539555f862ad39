package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// editsDoc is the table that TestWordPress_EditsTable writes when
// REBAKE_WRITE_DOCS is 1.
const editsDoc = "../../docs/wordpress-edits.md"

// tableLimits are how long after a click the public pages may take, and when a
// page goes. They are kept by a machine that has nothing else to do; the table
// is written by no other. A test beside others has REBAKE_PATIENCE times as
// long, by default 10; scripts/test runs it alone, with 3.
const tableLimit, tableGoneLimit = 3 * time.Second, 5 * time.Second

// tableRow is one edit, and what came of it.
type tableRow struct {
	edit      string
	changed   []string // paths of pages that are other bytes now, or are new
	gone      []string // paths of pages that are none any more
	untouched int      // files that are the same ones as before, sidecars too
	renders   int      // of all pages, second looks too
	took      time.Duration
}

// editsTable edits a blog, and looks at every file of the output after each.
type editsTable struct {
	*blog
	rows []tableRow
}

// TestWordPress_EditsTable does what editors do, on a real WordPress with our
// plugin, and compares the whole site with what WordPress would answer itself.
func TestWordPress_EditsTable(t *testing.T) {
	t.Parallel()
	e := &editsTable{blog: newBlog(t, newServer(t), "edits", "", "")}
	awaitPoll(t, e.site) // whose renders are of no edit
	e.awaitCalm(t)
	e.edits(t)
	table := e.markdown()
	if t.Failed() {
		t.Logf("the table so far:\n%s", table)
		return
	}
	if os.Getenv("REBAKE_WRITE_DOCS") == "1" {
		if err := write(editsDoc, editsIntroduction+table+measuredOn(t)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(editsDoc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(editsDoc)
	if err != nil {
		t.Fatal(err)
	}
	if want, got := firstColumn(table), firstColumn(string(written)); !slices.Equal(want, got) {
		t.Errorf("%s tells of %q, and the test does %q; write it again with REBAKE_WRITE_DOCS=1", path.Base(editsDoc), got, want)
	}
}

// row makes one edit, waits until all is as WordPress has it, and notes what
// became of the files.
func (e *editsTable) row(t *testing.T, edit string, do func()) {
	t.Helper()
	e.pages(t)
	before := e.files(t)
	rendered := e.renders(t)
	stop := e.watch()
	clicked := time.Now()
	do()
	e.mustEqualWordPress(t, edit)
	last := stop()
	after := e.files(t)

	r := tableRow{edit: edit, took: max(0, last.Sub(clicked)), renders: e.renders(t) - rendered}
	for name, was := range before {
		switch is, there := after[name]; {
		case !there:
			r.gone = append(r.gone, pageOf(name))
		case is.text != was.text:
			r.changed = append(r.changed, pageOf(name))
		case identity(is.info) != identity(was.info):
			t.Errorf("%s: %s is another file, with the bytes that it had", edit, name)
		default:
			r.untouched++
		}
	}
	for name := range after {
		if _, there := before[name]; !there {
			r.changed = append(r.changed, pageOf(name))
		}
	}
	for _, list := range []*[]string{&r.changed, &r.gone} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	limit := tableLimit
	if len(r.gone) > 0 {
		limit = tableGoneLimit
	}
	if r.took > time.Duration(patience()*float64(limit)) {
		t.Errorf("%s: after %s, at most %s is allowed", edit, r.took, limit)
	}
	if r.renders < len(r.changed) {
		t.Errorf("%s: %d renders are counted, and %d pages have changed", edit, r.renders, len(r.changed))
	}
	if len(r.changed)+len(r.gone) == 0 {
		t.Errorf("%s: no file has changed", edit)
	}
	e.rows = append(e.rows, r)
}

// renders are how many renders have ended.
func (e *editsTable) renders(t *testing.T) (sum int) {
	t.Helper()
	req := newRequest(t, http.MethodGet, "http://"+e.admin+"/metrics", "")
	req.Header.Set("Authorization", "Bearer "+e.token)
	text := newVisitor(t).do(t, req).body
	for _, count := range renderCount.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(count[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

var renderCount = regexp.MustCompile(`(?m)^rebake_renders_total\{.*\} (\d+)$`)

// patience is how many times the limits a test may take. The table that people
// read keeps to them.
func patience() float64 {
	if n, err := strconv.ParseFloat(os.Getenv("REBAKE_PATIENCE"), 64); err == nil && n > 0 {
		return n
	}
	if os.Getenv("REBAKE_WRITE_DOCS") == "1" {
		return 1
	}
	return 10
}

// pageOf is the page of a file in the output.
func pageOf(name string) string {
	name = strings.TrimSuffix(name, ".gz")
	if base := path.Base(name); base == "index.html" || base == "index.xml" {
		return path.Dir(name)
	}
	return name
}

func (e *editsTable) edits(t *testing.T) {
	post := func(slug string) int { return e.find(t, "posts", slug).ID }
	edit := func(slug string, f fields) func() {
		id := post(slug)
		return func() { e.wp.edit(t, "posts", id, f) }
	}
	news, quiet := e.find(t, "categories", "local"), e.find(t, "categories", "quiet")

	var made item
	e.row(t, "a new post", func() {
		made = e.wp.create(t, "posts", fields{"slug": "breaking", "title": "Breaking", "content": "It has happened.", "status": "publish", "categories": []int{news.ID}})
	})
	e.row(t, "a post's text is edited", edit("post-3", fields{"content": "What post 3 says now."}))
	e.row(t, "a post's title is edited", edit("post-10", fields{"title": "Post ten"}))
	e.row(t, "another slug, and a move to another category", edit("post-5", fields{"slug": "moved", "categories": []int{quiet.ID}}))
	about := e.find(t, "pages", "about").ID
	e.row(t, "another slug of a page with pages below it", func() { e.wp.edit(t, "pages", about, fields{"slug": "us"}) })
	blue := e.find(t, "media", "blue").ID
	e.row(t, "another featured image", edit("post-6", fields{"featured_media": blue}))
	e.row(t, "a post goes to the trash", func() { e.wp.trash(t, "posts", made.ID) })
	e.wp.php(t, fmt.Sprintf(`wp_untrash_post( %d );`, made.ID)) // it is a draft then
	e.row(t, "it comes back from the trash", func() { e.wp.edit(t, "posts", made.ID, fields{"status": "publish"}) })
	e.row(t, "it is deleted for ever", func() {
		e.wp.rest(t, http.MethodDelete, fmt.Sprintf("/posts/%d?force=true", made.ID), nil, nil)
	})
	e.row(t, "a category gets another name and slug", func() { e.wp.edit(t, "categories", quiet.ID, fields{"name": "Calm", "slug": "calm"}) })
	menu := e.find(t, "navigation", "menu").ID
	e.row(t, "the menu is changed", func() {
		e.wp.edit(t, "navigation", menu, fields{"content": `<!-- wp:navigation-link {"label":"About us","url":"/us/"} /-->`})
	})
	comment := e.wp.create(t, "comments", fields{"post": post("post-2"), "content": "Well said.", "author_name": "A Reader", "author_email": "reader@example.com", "status": "hold"})
	e.row(t, "a comment is approved", func() { e.wp.edit(t, "comments", comment.ID, fields{"status": "approved"}) })
	e.row(t, "a post sticks to the front", edit("post-1", fields{"sticky": true}))
	e.row(t, "an author gets another name", func() { e.wp.edit(t, "users", 2, fields{"name": "Ana Maria"}) })
	planned := e.wp.create(t, "posts", fields{"slug": "planned", "title": "Planned", "content": "As planned.", "status": "future", "date": "2099-01-01T00:00:00"})
	e.wp.php(t, fmt.Sprintf(comeSooner, planned.ID))
	e.row(t, "a scheduled post's time has come", func() { get(t, e.wp.origin+"/wp-cron.php") })
	e.row(t, "a post is made private", edit("post-9", fields{"status": "private"}))
	e.row(t, "a post gets a password", edit("post-12", fields{"password": "sesame"}))
}

// comeSooner makes the time of a scheduled post one that was.
const comeSooner = `
	$id = %d;
	$wpdb->update( $wpdb->posts, array( 'post_date' => '2026-11-02 10:00:00', 'post_date_gmt' => '2026-11-02 10:00:00' ), array( 'ID' => $id ) );
	clean_post_cache( $id );
	wp_clear_scheduled_hook( 'publish_future_post', array( $id ) );
	wp_schedule_single_event( time() - 60, 'publish_future_post', array( $id ) );`

// editsIntroduction is what stands above the table.
const editsIntroduction = `# What an edit in WordPress changes

This table is made by a test (` + "`TestWordPress_EditsTable`" + ` in daemon/e2e): a real WordPress 6.1 with its own theme, MariaDB, PHP's own
server with four processes, Rebake's plugin, and nginx before it all. After each edit the test asks WordPress itself for every
page that there is or was, and compares the bytes with the files: no other page may differ, and no file may have been written
whose bytes are the same (its inode and its time stay). *Renders* are those of all pages, also of lists in which nothing turned
out to be different. *After* is the time from the click to the last file that changed; 3 s are allowed, and 5 s where a page
goes, since that is read twice, two seconds apart.

To make it again: ` + "`REBAKE_WRITE_DOCS=1 go test -count=1 -run EditsTable ./daemon/e2e`" + `, on a machine that has nothing else to do.

`

// measuredOn says how busy the machine was.
func measuredOn(t *testing.T) string {
	t.Helper()
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	busy, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("\n%s, %d CPUs, load %s in the last minute.\n", time.Now().Format(time.DateOnly), runtime.NumCPU(), busy)
}

func (e *editsTable) markdown() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "| the edit | pages that changed | pages that went | files left alone | renders | after |\n|---|---|---|--:|--:|--:|\n")
	for _, r := range e.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %d | %.1f s |\n", r.edit, kindsOf(r.changed), kindsOf(r.gone), r.untouched, r.renders, r.took.Seconds())
	}
	return b.String()
}

// kindsOf says what pages are: "1 archive of a category, home, 2 posts".
func kindsOf(paths []string) string {
	if len(paths) == 0 {
		return "–"
	}
	kinds := map[string]int{}
	for _, p := range paths {
		kinds[kindOf(p)]++
	}
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		switch n := kinds[kind]; {
		case kind == "home":
			list = append(list, kind)
		case n == 1:
			list = append(list, "1 "+kind)
		default: // the first word is the one that counts: "2 parts of a list"
			first, rest, _ := strings.Cut(kind, " ")
			list = append(list, strings.TrimSpace(fmt.Sprintf("%d %ss %s", n, first, rest)))
		}
	}
	return strings.Join(list, ", ")
}

func kindOf(p string) string {
	parts := strings.Split(strings.Trim(p, "/"), "/")
	_, err := strconv.Atoi(parts[0])
	switch isDate := err == nil; {
	case p == "/":
		return "home"
	case strings.HasSuffix(p, "/feed"):
		return "feed"
	case strings.HasSuffix(p, ".xml"):
		return "sitemap"
	case parts[0] == "page" || len(parts) > 2 && parts[len(parts)-2] == "page":
		return "part of a list"
	case isDate && len(parts) < 3:
		return "archive of a date"
	case isDate:
		return "post"
	case parts[0] == "category":
		return "archive of a category"
	case parts[0] == "author":
		return "archive of an author"
	}
	return "page"
}

// firstColumn are the texts of a table's first column, below its head.
func firstColumn(markdown string) (list []string) {
	for line := range strings.Lines(markdown) {
		if cells := strings.Split(line, "|"); len(cells) > 2 && !strings.HasPrefix(cells[1], "--") {
			list = append(list, strings.TrimSpace(cells[1]))
		}
	}
	return list
}
