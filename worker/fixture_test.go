package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
	"rebake/storage/redistest"
)

const host = "www.example.com"

// website is a Redis, an output directory and what the pages of the site are.
// Any number of processes may work on it.
type website struct {
	*fakeRenderer
	t     *testing.T
	redis *redistest.Server
	rdb   *redis.Client
	dir   string
}

func newWebsite(t *testing.T) *website {
	t.Helper()
	t.Parallel()
	s := redistest.Start(t)
	return &website{fakeRenderer: newFakeRenderer(), t: t, redis: s, rdb: s.Client(), dir: t.TempDir()}
}

// process is a Worker as one process of the site has it.
type process struct {
	*Worker
	site *website
	feed *ledger.Feed
	rdb  *redis.Client
	end  context.CancelFunc
	over chan struct{} // closed when Run has returned
}

type settings struct {
	Config
	ledger ledger.Config
}

// process makes a Worker, and runs nothing yet.
func (s *website) process(change ...func(*settings)) *process {
	s.t.Helper()
	set := settings{Config: DefaultConfig(), ledger: ledger.DefaultConfig(host)}
	set.Grace = 5 * time.Second
	for _, c := range change {
		c(&set)
	}
	rdb := s.redis.Client()
	l, err := ledger.Open(s.t.Context(), rdb, set.ledger)
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := output.Open(output.Config{
		Dir: filepath.Join(s.dir, "public"), State: filepath.Join(s.dir, "state"), Compress: []string{"gzip"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := out.Close(); err != nil {
			s.t.Errorf("close output: %v", err)
		}
	})
	feed := l.Feed()
	w := New(set.Config, Parts{Redis: rdb, Ledger: l, Feed: feed, Output: out, Renderer: s.fakeRenderer, Log: slog.New(slog.DiscardHandler)})
	return &process{Worker: w, site: s, feed: feed, rdb: rdb}
}

// running makes a Worker that runs until the end of the test, or stop.
func (s *website) running(change ...func(*settings)) *process {
	s.t.Helper()
	p := s.process(change...)
	p.run()
	return p
}

func (p *process) run() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.site.t.Context()))
	p.end, p.over = cancel, make(chan struct{})
	go func() {
		defer close(p.over)
		if err := p.Run(ctx); err != nil {
			p.site.t.Errorf("run: %v", err)
		}
	}()
	p.site.t.Cleanup(p.stop)
	p.site.await("the worker takes tokens", func() bool {
		p.slots.mu.Lock()
		defer p.slots.mu.Unlock()
		return p.slots.ctx != nil
	})
}

// listen passes the ledger's events on until the end of the test.
func (p *process) listen() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.site.t.Context()))
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = p.feed.Run(ctx) // never fails
	}()
	p.site.t.Cleanup(func() { cancel(); <-over })
}

// byItself has only this process wake its tokens: asynq hands out no task, to
// nobody, and the sweeper finds nothing. What is published then was woken when its
// time had come, and not a second later, and no clock has to say so.
func (p *process) byItself() {
	p.site.t.Helper()
	for _, queue := range []string{"low", "default", "critical"} {
		if err := p.site.inspector().PauseQueue(queue); err != nil {
			p.site.t.Fatal(err)
		}
	}
	p.unswept()
}

// unswept has the sweeper of this process find nothing.
func (p *process) unswept() {
	p.rdb.AddHook(refusing(func(words string) error {
		if words == "sadd asynq:queues low default critical" { // with which each pass begins
			return errors.New("the test sweeps nothing")
		}
		return nil
	}))
}

// stop ends Run and waits for it.
func (p *process) stop() {
	p.end()
	<-p.over
}

// patient is how long a test waits for what has to come. It only says how long a
// test takes that fails: nothing here is to be that slow, and on a busy machine all
// of it may be.
const patient = 2 * time.Minute

// await fails the test when the condition does not come true. It returns how long
// that took.
func (s *website) await(what string, cond func() bool) time.Duration {
	s.t.Helper()
	start := time.Now()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	tooLate := time.After(patient)
	for !cond() {
		select {
		case <-tick.C:
		case <-tooLate:
			s.t.Fatalf("waited in vain: %s", what)
		}
	}
	return time.Since(start)
}

func mustPath(s string) storage.Path {
	p, err := storage.PathRules{}.Parse(s)
	if err != nil {
		panic(err)
	}
	return p
}

func onePath(s string) []storage.Path { return []storage.Path{mustPath(s)} }

// trigger accepts a trigger of some pages, and returns them.
func (p *process) trigger(prio ledger.Priority, paths ...string) []AcceptedPage {
	p.site.t.Helper()
	t := Trigger{Priority: prio, Reason: "test"}
	for _, s := range paths {
		t.Paths = append(t.Paths, mustPath(s))
	}
	return p.accept(t)
}

func (p *process) accept(t Trigger) []AcceptedPage {
	p.site.t.Helper()
	a, err := p.Accept(p.site.t.Context(), t)
	if err != nil {
		p.site.t.Fatal(err)
	}
	return a.Pages
}

// token triggers a page in the ledger alone: nobody is woken.
func (p *process) token(path string, prio ledger.Priority) ledger.Token {
	p.site.t.Helper()
	r, err := p.Ledger.Trigger(p.site.t.Context(), mustPath(path), ledger.Request{Priority: prio})
	if err != nil {
		p.site.t.Fatal(err)
	}
	if r.Token == nil {
		p.site.t.Fatalf("trigger of %s gave no token", path)
	}
	return *r.Token
}

func (p *process) state(path string) ledger.State {
	p.site.t.Helper()
	s, err := p.Ledger.State(p.site.t.Context(), mustPath(path))
	if err != nil {
		p.site.t.Fatal(err)
	}
	return s
}

// await waits until the page is as wanted.
func (p *process) await(path string, want ledger.Freshness) {
	p.site.t.Helper()
	var now string
	defer func() {
		if p.site.t.Failed() {
			p.site.t.Logf("%s: %s", path, now)
		}
	}()
	p.site.await(path+" is "+string(want), func() bool {
		s, err := p.Ledger.State(p.site.t.Context(), mustPath(path))
		now = fmt.Sprintf("%s, page %+v, owed %+v, %v", s.Freshness, s.Page, s.Owed, err)
		return err == nil && s.Freshness == want
	})
}

// publish brings a page to its first publication.
func (p *process) publish(path, text string) {
	p.site.t.Helper()
	p.site.set(path, text)
	p.trigger(ledger.Critical, path)
	p.await(path, ledger.PageFresh)
}

// file is where the page is served from.
func (s *website) file(path string) string {
	return filepath.Join(s.dir, "public", mustPath(path).File())
}

// served is what a reader gets, "" for nothing.
func (s *website) served(path string) string {
	s.t.Helper()
	b, err := os.ReadFile(s.file(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	return string(b)
}

func (s *website) wantServed(path, text string) {
	s.t.Helper()
	want := ""
	if text != "" {
		want = html(text)
	}
	if got := s.served(path); got != want {
		s.t.Errorf("%s serves %q, want %q", path, got, want)
	}
}

func (s *website) wantRenders(path string, want int) {
	s.t.Helper()
	if got := s.renders(path); got != want {
		s.t.Errorf("%s was rendered %d times, want %d", path, got, want)
	}
}

// events are the ends of all runs of a page.
func (p *process) events(path string) []map[string]any {
	p.site.t.Helper()
	list, err := p.rdb.XRange(p.site.t.Context(), "rebake:{"+host+"}:events", "-", "+").Result()
	if err != nil {
		p.site.t.Fatal(err)
	}
	var of []map[string]any
	for _, m := range list {
		if m.Values["path"] == path {
			of = append(of, m.Values)
		}
	}
	return of
}

// owedKey is the page's record in Redis, for tests that damage it.
func owedKey(path string) string { return "rebake:{" + host + "}:owed:" + path }

// due makes the sweeper look at a page, or a label, now.
func due(path string) redis.Z { return redis.Z{Score: 1, Member: path} }

func (s *website) inspector() *asynq.Inspector { return asynq.NewInspectorFromRedisClient(s.rdb) }

func html(text string) string {
	return "<!doctype html><title>" + text + "</title></html>"
}

// fakeRenderer stands for templates and sources: it has texts, and can be told
// to do anything else.
type fakeRenderer struct {
	mu       sync.Mutex
	texts    map[string]string // guarded by mu, as is all below
	tags     map[string][]string
	versions map[string]map[string]string
	instead  map[string]renderFunc
	count    map[string]int
	now      int // renders that run
	most     int // at once
	resolve  resolveFunc
	resolved int // times that the CMS was asked for an item
}

// renderFunc renders a page for the nth time; text is what the page was when
// the render began.
type renderFunc func(ctx context.Context, n int, text string) (string, error)

func newFakeRenderer() *fakeRenderer {
	return &fakeRenderer{
		texts: map[string]string{}, tags: map[string][]string{}, versions: map[string]map[string]string{},
		instead: map[string]renderFunc{}, count: map[string]int{},
	}
}

// set changes a page in the CMS.
func (f *fakeRenderer) set(path, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.texts[path] = text
}

// tag gives a page its tags, for the renders that begin from now on.
func (f *fakeRenderer) tag(path string, tags ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tags[path] = tags
}

// on makes f the way to render a page; nil goes back to the texts.
func (f *fakeRenderer) on(path string, render renderFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instead[path] = render
}

// blocked is a page whose first render reads its text and then stands still.
type blocked struct {
	started chan struct{} // closed when the render has read its text
	release func()
}

func (f *fakeRenderer) block(t *testing.T, path string) blocked {
	started, gate := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	f.on(path, func(ctx context.Context, n int, text string) (string, error) {
		if n > 1 {
			return text, nil
		}
		close(started)
		select {
		case <-gate:
			return text, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	return blocked{started, release}
}

func (f *fakeRenderer) renders(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count[path]
}

// atOnceMost is how many renders ran at the same time.
func (f *fakeRenderer) atOnceMost() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

// Match knows every page but /unknown.
func (f *fakeRenderer) Match(p storage.Path) (renderer.Match, bool) {
	return renderer.Match{Path: p, Gates: renderer.Gates{MaxBytes: 1 << 20, Complete: true}}, p.String() != "/unknown"
}

func (f *fakeRenderer) Render(ctx context.Context, m renderer.Match, _ bool) (storage.Page, error) {
	path := m.Path.String()
	f.mu.Lock()
	f.count[path]++
	f.now++
	f.most = max(f.most, f.now)
	n, render, text, tags, versions := f.count[path], f.instead[path], f.texts[path], f.tags[path], maps.Clone(f.versions[path])
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.now--
		f.mu.Unlock()
	}()
	if render != nil {
		var err error
		if text, err = render(ctx, n, text); err != nil {
			return storage.Page{}, err
		}
	}
	return storage.Page{Path: m.Path, Type: "text/html; charset=utf-8", Body: []byte(html(text)), Tags: tags, Versions: versions, Route: "/{rest...}"}, nil
}
