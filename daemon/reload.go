package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// liveRenderer is the site's renderer of the moment. A run that has begun ends
// with the one that it began with. Safe for concurrent use.
type liveRenderer struct {
	atomic.Pointer[renderer.Renderer]
}

var _ worker.Resolver = (*liveRenderer)(nil) // or items would not be resolved, and nobody told

func newLiveRenderer(r *renderer.Renderer) *liveRenderer {
	l := &liveRenderer{}
	l.Store(r)
	return l
}

// Match is renderer.Renderer.Match.
func (l *liveRenderer) Match(p storage.Path) (renderer.Match, bool) { return l.Load().Match(p) }

// Render is renderer.Renderer.Render. The match may be older than the renderer.
func (l *liveRenderer) Render(ctx context.Context, m renderer.Match, urgent bool) (storage.Page, error) {
	return l.Load().Render(ctx, m, urgent)
}

// Upstreams is renderer.Renderer.Upstreams.
func (l *liveRenderer) Upstreams() []renderer.Upstream { return l.Load().Upstreams() }

// Down is renderer.Renderer.Down.
func (l *liveRenderer) Down() []renderer.Outage { return l.Load().Down() }

// Watches is renderer.Renderer.Watches.
func (l *liveRenderer) Watches() []*renderer.Watch { return l.Load().Watches() }

// Resolve is renderer.Renderer.Resolve.
func (l *liveRenderer) Resolve(ctx context.Context, item string, urgent bool) (renderer.Resolved, error) {
	return l.Load().Resolve(ctx, item, urgent)
}

// Resolves is renderer.Renderer.Resolves.
func (l *liveRenderer) Resolves() bool { return l.Load().Resolves() }

// HasOrigins is renderer.Renderer.HasOrigins.
func (l *liveRenderer) HasOrigins() bool { return l.Load().HasOrigins() }

// PassedTo is renderer.Renderer.PassedTo.
func (l *liveRenderer) PassedTo(p storage.Path) string { return l.Load().PassedTo(p) }

// SlugPaths is renderer.Renderer.SlugPaths.
func (l *liveRenderer) SlugPaths(slug string) []string { return l.Load().SlugPaths(slug) }

// reloader loads the templates again, and triggers the pages that were made
// with the files that are not what they were.
//
// Two memories say what has changed. The ledger's survives a restart, and is
// written when the triggers are accepted. This process' own is for several on
// one ledger: each has rendered with its own files until it loaded them again,
// so each triggers what has changed for itself.
//
// BUG(daemon): when several worker processes are restarted one after the other
// with other templates, a page that an old one renders after a new one's
// trigger keeps the old look until its next trigger. SIGHUP has no such gap.
type reloader struct {
	app *app
	// told are the hashes of the files that this process has triggered pages for.
	told map[string]string
	// loaded hears how each load ended.
	loaded func(error)
	// config reads rebake.yaml again before each load; nil does not.
	config func()
}

func newReloader(a *app, loaded func(error)) *reloader {
	return &reloader{app: a, told: a.renderer.Load().TemplateHashes(), loaded: loaded}
}

// logLoaded tells the operator of a server; of a site without templates there is
// nothing to tell.
func (a *app) logLoaded(err error) {
	if err != nil {
		a.log.Error("templates not loaded, the old ones stay", "err", err)
		return
	}
	if len(a.renderer.Load().TemplateHashes()) > 0 {
		a.log.Info("templates loaded", "templates", a.cfg.Templates)
	}
}

// runReloader looks for what has changed since the last start, and loads the
// templates for each value of again, until ctx is done. A trigger that cannot
// be accepted is sent again until it is.
func runReloader[E any](ctx context.Context, r *reloader, again <-chan E) error {
	for {
		var retry <-chan time.Time
		if err := r.settle(ctx); err != nil && ctx.Err() == nil {
			r.app.log.Warn("pages of changed templates not triggered, will retry", "err", err)
			retry = time.After(time.Second)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-retry:
		case <-again:
			r.load()
		}
	}
}

// load puts a renderer with the files as they are now in the place of the one
// before, which stays when they cannot be used.
func (r *reloader) load() {
	if r.config != nil {
		r.config()
	}
	var next *renderer.Renderer
	err := storage.Contain(func() (err error) { next, err = r.app.loadRenderer(); return err })
	if err == nil {
		r.app.renderer.Store(next)
	}
	r.loaded(err)
}

// settle triggers the pages of all files that have changed. The renderer was
// replaced before: a run that the trigger does not reach any more, since it
// begins after it, renders with the new files.
func (r *reloader) settle(ctx context.Context) error {
	if !r.app.roles.worker {
		return nil // the workers' own files are those that pages are made with
	}
	l := r.app.worker.Ledger
	now := r.app.renderer.Load().TemplateHashes()
	before, err := l.Templates(ctx)
	if err != nil {
		return err
	}
	files := changedFiles(r.told, now)
	if len(before) > 0 { // else this is the first start, or a new ledger
		files = append(files, changedFiles(before, now)...)
	}
	slices.Sort(files)
	if files = slices.Compact(files); len(files) > 0 {
		if err := r.trigger(ctx, files); err != nil {
			return err
		}
	}
	if !maps.Equal(before, now) {
		if err := l.RememberTemplates(ctx, now); err != nil {
			return err
		}
	}
	r.told = now
	return nil
}

// changedFiles are the files that are new, gone, or not what they were.
func changedFiles(before, now map[string]string) []string {
	var files []string
	for name, hash := range now {
		if before[name] != hash {
			files = append(files, name)
		}
	}
	for name := range before {
		if _, there := now[name]; !there {
			files = append(files, name)
		}
	}
	return files
}

// trigger asks for the pages that were made with the files, by their tags. A
// page whose render failed may have other tags than that render would have
// given it, or none, and is asked for by its path.
func (r *reloader) trigger(ctx context.Context, files []string) error {
	t := worker.Trigger{Priority: ledger.Low, Reason: changeReason(files)}
	for _, file := range files {
		t.Labels = append(t.Labels, ledger.Tag("template:"+file))
	}
	err := r.app.worker.Ledger.EachFailed(ctx, func(s ledger.State) error {
		if m, ok := r.app.renderer.Match(s.Path); ok && m.Uses(files) {
			t.Paths = append(t.Paths, s.Path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	accepted, err := r.app.worker.Accept(ctx, t)
	if err != nil {
		return fmt.Errorf("trigger pages of changed templates: %w", err)
	}
	var pages int64
	for _, l := range accepted.Labels {
		pages = max(pages, l.Pages)
	}
	r.app.log.Info("templates changed", "files", strings.Join(files, " "), "pages_at_least", pages)
	return nil
}

func changeReason(files []string) string {
	const most = 3
	switch n := len(files); {
	case n == 1:
		return "template " + files[0] + " changed"
	case n <= most:
		return "templates " + strings.Join(files, ", ") + " changed"
	default:
		return fmt.Sprintf("templates %s and %d others changed", strings.Join(files[:most], ", "), n-most)
	}
}
