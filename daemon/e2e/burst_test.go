package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// badLine stands between WordPress and Rebake, and does to webhooks what
// networks and queues do: some come twice, some late, and some never. What
// becomes of which is the seed's choice.
type badLine struct {
	*httptest.Server

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
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"revalidated":true,"now":1,"id":"1","pages":1}`)
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

// end delivers what is still on its way.
func (l *badLine) end() {
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
	b := newBlog(t, newServer(t), "burst", line.URL, ", reconcile: off")
	line.mu.Lock()
	line.to = b.listen
	line.mu.Unlock()
	b.run("reconcile") // what is there before
	b.awaitWorkDone(t)

	burst := &burst{blog: b, rand: rand.New(rand.NewPCG(seed, 1))}
	for i := 1; i <= 14; i++ {
		burst.posts = append(burst.posts, b.find(t, "posts", fmt.Sprintf("post-%d", i)).ID)
	}
	for i := range 6 {
		burst.create(t, i)
	}
	started := time.Now()
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	edits := 0
	for edits < 100 && (edits < 40 || time.Since(started) < time.Minute) { // fewer where WordPress is slow
		<-pace.C
		burst.edit(t, edits)
		edits++
	}
	edited := time.Since(started)
	line.end()
	t.Logf("%d edits within %s; of the webhooks came %v", edits, edited.Round(100*time.Millisecond), line.counts)
	for _, kind := range []string{"dropped", "twice", "late", "at once"} {
		if line.counts[kind] == 0 {
			t.Errorf("no webhook was %s, so this proves less than it says", kind)
		}
	}
	for _, problem := range line.failed {
		t.Error(problem)
	}
	b.awaitWorkDone(t)
	if wrong := b.unlikeWordPress(t); len(wrong) == 0 {
		t.Log("nothing was left to reconcile")
	} else {
		t.Logf("%d pages are left to reconcile", len(wrong))
	}
	started = time.Now()
	t.Logf("%s", b.run("reconcile"))
	b.mustEqualWordPress(t, "after the burst")
	t.Logf("reconciled after %s", time.Since(started).Round(100*time.Millisecond))
}

// burst edits posts at random.
type burst struct {
	*blog
	rand  *rand.Rand
	posts []int // those that are not deleted
}

func (b *burst) create(t *testing.T, i int) {
	t.Helper()
	made := b.wp.create(t, "posts", fields{"slug": fmt.Sprintf("new-%d", i), "title": fmt.Sprintf("New %d", i), "content": "It is new.", "status": "publish", "date": fmt.Sprintf("2026-08-%02dT10:00:00", i%28+1)})
	b.posts = append(b.posts, made.ID)
}

// edit does one of the things that editors do.
func (b *burst) edit(t *testing.T, i int) {
	t.Helper()
	at := b.rand.IntN(len(b.posts))
	id := b.posts[at]
	set := func(f fields) { b.wp.edit(t, "posts", id, f) }
	switch n := b.rand.IntN(20); {
	case n < 7:
		set(fields{"content": fmt.Sprintf("Edit %d.", i)})
	case n < 11:
		set(fields{"title": fmt.Sprintf("Title %d", i)})
	case n < 13:
		set(fields{"slug": fmt.Sprintf("slug-%d", i)})
	case n < 15:
		set(fields{"categories": []int{b.rand.IntN(4) + 2}})
	case n < 17:
		set(fields{"status": []string{"draft", "private", "publish", "publish"}[b.rand.IntN(4)]})
	case n < 18:
		b.wp.php(t, fmt.Sprintf(`wp_trash_post( %d );`, id))
		b.wp.php(t, fmt.Sprintf(`wp_untrash_post( %[1]d ); wp_publish_post( %[1]d );`, id))
	case n < 19:
		b.create(t, 100+i)
	default:
		b.wp.php(t, fmt.Sprintf(`wp_delete_post( %d, true );`, id))
		b.posts = append(b.posts[:at], b.posts[at+1:]...)
	}
}
