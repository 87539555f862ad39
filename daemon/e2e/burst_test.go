package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rebake/api"
)

// badLine stands between WordPress and Rebake, and does to webhooks what
// networks and queues do: some come twice, some late, and some never. What
// becomes of the first, the second and so on is the seed's choice.
type badLine struct {
	*httptest.Server

	under sync.WaitGroup // webhooks that WordPress has sent

	mu     sync.Mutex
	rand   *rand.Rand // guarded by mu
	held   []delivery // guarded by mu; they come when another one has come
	failed []string   // guarded by mu
	counts map[string]int
	to     string // guarded by mu; the site's listen address
}

// delivery is a webhook as WordPress has sent it.
type delivery struct {
	path   string
	header http.Header
	body   []byte
}

func newBadLine(t *testing.T, seed uint64) *badLine {
	t.Helper()
	l := &badLine{rand: rand.New(rand.NewPCG(seed, 0)), counts: map[string]int{}}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

// ServeHTTP tells WordPress that all is well, or its plugin would try again.
func (l *badLine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	l.under.Add(1)
	defer l.under.Done()
	const taken = `{"revalidated":true,"now":1,"id":"1","pages":1}`
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(taken)))
	_, _ = io.WriteString(w, taken)
	_ = http.NewResponseController(w).Flush() // WordPress goes on
	d := delivery{r.URL.Path, r.Header.Clone(), body}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch n := l.rand.IntN(10); {
	case n < 2:
		l.counts["dropped"]++
	case n < 4:
		l.counts["twice"]++
		l.deliver(d)
		l.deliver(d)
	case n < 7:
		l.counts["late"]++
		l.held = append(l.held, d)
	default:
		l.counts["at once"]++
		l.deliver(d)
		if len(l.held) > 3 { // those that are late overtake each other
			l.deliverHeld()
		}
	}
}

// end delivers what is still on its way, when WordPress sends no more.
func (l *badLine) end() {
	l.under.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deliverHeld()
}

// deliverHeld is called with mu held.
func (l *badLine) deliverHeld() {
	l.rand.Shuffle(len(l.held), func(i, j int) { l.held[i], l.held[j] = l.held[j], l.held[i] })
	for _, d := range l.held {
		l.deliver(d)
	}
	l.held = nil
}

// deliver is called with mu held, so that the order is the seed's.
func (l *badLine) deliver(d delivery) {
	if l.to == "" {
		return // the site is still being made
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+l.to+d.path, bytes.NewReader(d.body))
	if err != nil {
		l.failed = append(l.failed, err.Error())
		return
	}
	req.Header = d.header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		l.failed = append(l.failed, err.Error())
		return
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		l.failed = append(l.failed, fmt.Sprintf("a webhook is answered with %d", res.StatusCode))
	}
}

// TestWordPress_Burst edits 20 posts 100 times in 10 s, over a line that loses,
// doubles and delays webhooks. What was lost is found by reconcile, and then
// every page is what WordPress makes of it.
func TestWordPress_Burst(t *testing.T) {
	t.Parallel()
	const seed = 20261123
	line := newBadLine(t, seed)
	// Of WordPress' four processes one is left for those who edit.
	b := newBlog(t, newServer(t), "burst", line.URL, ", reconcile: off, concurrency: 3")
	line.mu.Lock()
	line.to = b.listen
	line.mu.Unlock()
	b.run("reconcile") // what is there before
	b.awaitCalm(t)

	editors := make([]*editor, 4)
	for i := range editors {
		editors[i] = &editor{wp: b.wp, name: i, rand: rand.New(rand.NewPCG(seed, uint64(i)))}
	}
	for i := 1; i <= 14; i++ {
		e := editors[i%len(editors)]
		e.posts = append(e.posts, b.find(t, "posts", fmt.Sprintf("post-%d", i)).ID)
	}
	for i := range 6 {
		if err := editors[i%len(editors)].create(); err != nil {
			t.Fatal(err)
		}
	}
	const edits, limit = 100, 10 * time.Second
	pace := time.NewTicker(limit / (edits + 20)) // of all of them
	defer pace.Stop()
	started := time.Now()
	var group sync.WaitGroup
	var done atomic.Int64
	for _, e := range editors {
		group.Go(func() {
			for i := range edits / len(editors) {
				<-pace.C
				if err := e.edit(i); err != nil {
					t.Errorf("editor %d, edit %d: %v", e.name, i, err)
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	edited := time.Since(started)
	line.end()
	t.Logf("%d edits within %s; of the webhooks came %v", done.Load(), edited.Round(100*time.Millisecond), line.counts)
	if most := time.Duration(patience() * float64(limit)); done.Load() != edits || edited > most {
		t.Errorf("%d edits within %s, want %d within %s", done.Load(), edited, edits, most)
	}
	for _, kind := range []string{"dropped", "twice", "late", "at once"} {
		if line.counts[kind] == 0 {
			t.Errorf("no webhook was %s, so this proves less than it says", kind)
		}
	}
	for _, problem := range line.failed {
		t.Error(problem)
	}
	b.awaitIdle(t)
	started = time.Now()
	t.Logf("reconcile finds\n%s", b.run("reconcile"))
	var wrong []string
	if took, equal := await(2*hung, func() bool {
		b.awaitIdle(t)
		wrong = b.unlikeWordPress(t)
		return len(wrong) == 0
	}); !equal {
		t.Errorf("%s after reconcile: unlike WordPress:\n%s", took, strings.Join(wrong, "\n"))
	}
	t.Logf("reconciled after %s", time.Since(started).Round(100*time.Millisecond))
}

// awaitIdle waits until nothing is done any more. An address that a webhook has
// told of and that is none any more, since the webhook of the next edit was
// lost, may be owed for two more minutes: WordPress could be slow to show it.
func (b *blog) awaitIdle(t *testing.T) {
	t.Helper()
	var now api.Status
	took, idle := await(2*hung, func() bool {
		now = b.status()
		for _, q := range now.Queues {
			if q.Waiting+q.Running > 0 {
				return false
			}
		}
		return now.Timers == 0 && len(now.Walks) == 0
	})
	if !idle {
		t.Errorf("after %s there is still work: %+v", took, now)
	}
}

// editor edits posts of its own at random: what it does is the seed's choice,
// whatever the others do meanwhile.
type editor struct {
	wp    *wordPress
	name  int
	rand  *rand.Rand
	posts []int // those that are not deleted
	made  int   // posts by this editor
}

// create makes a post. No two have one date, or their order would be anybody's
// guess.
func (e *editor) create() error {
	e.made++
	date := time.Date(2026, 8, e.made, 10, e.name, 0, 0, time.UTC).Format("2006-01-02T15:04:05")
	var made item
	err := e.wp.ask(http.MethodPost, "/posts", fields{
		"slug": fmt.Sprintf("new-%d-%d", e.name, e.made), "title": fmt.Sprintf("New %d of %d", e.made, e.name), "content": "It is new.", "status": "publish", "date": date,
	}, &made)
	e.posts = append(e.posts, made.ID)
	return err
}

// edit does one of the things that editors do.
func (e *editor) edit(i int) error {
	if len(e.posts) == 0 {
		return e.create()
	}
	at := e.rand.IntN(len(e.posts))
	id := e.posts[at]
	set := func(f fields) error { return e.wp.ask(http.MethodPost, fmt.Sprintf("/posts/%d", id), f, nil) }
	switch n := e.rand.IntN(20); {
	case n < 7:
		return set(fields{"content": fmt.Sprintf("Edit %d of %d.", i, e.name)})
	case n < 11:
		return set(fields{"title": fmt.Sprintf("Title %d of %d", i, e.name)})
	case n < 13:
		return set(fields{"slug": fmt.Sprintf("slug-%d-%d", e.name, i)})
	case n < 15:
		return set(fields{"categories": []int{e.rand.IntN(4) + 2}})
	case n < 17:
		return set(fields{"status": []string{"draft", "private", "publish", "publish"}[e.rand.IntN(4)]})
	case n < 18:
		if _, err := e.wp.eval(fmt.Sprintf(`wp_trash_post( %d );`, id)); err != nil {
			return err
		}
		_, err := e.wp.eval(fmt.Sprintf(`wp_untrash_post( %[1]d ); wp_publish_post( %[1]d );`, id))
		return err
	case n < 19:
		return e.create()
	default:
		e.posts = append(e.posts[:at], e.posts[at+1:]...)
		_, err := e.wp.eval(fmt.Sprintf(`wp_delete_post( %d, true );`, id))
		return err
	}
}
