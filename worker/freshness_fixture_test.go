package worker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// resolveFunc answers for the CMS what an item is, for the nth time.
type resolveFunc func(ctx context.Context, n int, item string) (renderer.Resolved, error)

// Resolve makes fakeRenderer one that can ask its CMS; until onResolve it knows
// nothing of any item.
func (f *fakeRenderer) Resolve(ctx context.Context, item string, _ bool) (renderer.Resolved, error) {
	f.mu.Lock()
	f.resolved++
	n, resolve := f.resolved, f.resolve
	f.mu.Unlock()
	if resolve == nil {
		return renderer.Resolved{}, nil
	}
	return resolve(ctx, n, item)
}

// asks is how often the CMS was asked for an item.
func (f *fakeRenderer) asks() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.resolved
}

func (f *fakeRenderer) onResolve(resolve resolveFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resolve = resolve
}

// version is what the number n is as a version of WordPress.
func version(n int) string { return fmt.Sprintf("2026-11-23T10:00:%02d", n) }

// edit is the time of an edit that made version n.
func edit(n int) time.Time { return time.Date(2026, 11, 23, 10, 0, n, 0, time.UTC) }

// show makes the page show version n of an item, with a text that says so.
func (f *fakeRenderer) show(path, item string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.texts[path] = shown(item, n)
	f.tags[path] = []string{item}
	f.versions[path] = map[string]string{item: version(n)}
}

func shown(item string, n int) string { return fmt.Sprintf("%s v%d", item, n) }

// edited is a trigger of a page and of version n of its item.
func edited(path, item string, n int) Trigger {
	t := Trigger{Items: []Item{{Tag: item, Version: version(n)}}, Priority: ledger.Critical, Reason: "webhook"}
	if path != "" {
		t.Paths = onePath(path)
	}
	return t
}

// showing brings a page to its first publication, with version n of an item.
func (p *process) showing(path, item string, n int) {
	p.site.t.Helper()
	p.site.show(path, item, n)
	p.trigger(ledger.Critical, path)
	p.await(path, ledger.PageFresh)
}

// accepted accepts a trigger, with labels.
func (p *process) accepted(t Trigger) Accepted {
	p.site.t.Helper()
	a, err := p.Accept(p.site.t.Context(), t)
	if err != nil {
		p.site.t.Fatal(err)
	}
	return a
}

// quiet waits until nothing is owed and no label is walked, and reports an item
// walk that does not come to its end.
func (p *process) quiet(t *testing.T) {
	t.Helper()
	p.site.await("nothing is owed", func() bool {
		counts, err := p.Ledger.Counts(t.Context())
		if err != nil || counts.Owed > 0 {
			return false
		}
		walks, err := p.Ledger.Walks(t.Context())
		return err == nil && len(walks) == 0
	})
}

// originRenderer is a fakeRenderer whose pages say of themselves how old they
// are, as those of an origin do.
type originRenderer struct {
	*fakeRenderer
	mu   sync.Mutex
	made map[string]string // guarded by mu, by path; see storage.Page
}

// runningOrigin is running with pages of an origin.
func (s *website) runningOrigin(change ...func(*settings)) (*process, *originRenderer) {
	s.t.Helper()
	p := s.process(change...)
	r := &originRenderer{fakeRenderer: s.fakeRenderer, made: map[string]string{}}
	p.Renderer = r
	p.run()
	return p, r
}

func (r *originRenderer) HasOrigins() bool { return true }

// madeAt makes the page show a text, and say that it was made then.
func (r *originRenderer) madeAt(path, text string, n int) { r.madeThen(path, text, edit(n)) }

func (r *originRenderer) madeThen(path, text string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(path, text)
	r.made[path] = at.UTC().Format(time.RFC3339Nano)
}

func (r *originRenderer) Render(ctx context.Context, m renderer.Match, urgent bool) (storage.Page, error) {
	r.mu.Lock()
	made := r.made[m.Path.String()]
	r.mu.Unlock()
	page, err := r.fakeRenderer.Render(ctx, m, urgent)
	page.Made = made
	return page, err
}
