package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rebake/api"
	"rebake/api/webhook"
	"rebake/daemon/config"
	"rebake/renderer"
	"rebake/renderer/origin"
	"rebake/renderer/source"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
	"rebake/storage/presence"
	"rebake/worker"
)

// roles are what a process does. They are the only difference between serve
// and its --only modes.
type roles struct {
	api, worker bool
	// build says that it is no server: it works beside one, on its Redis.
	build bool
	// adopt says that it takes the output over, whosever it is; rebuild that the
	// output's pages are known to be lost.
	adopt, rebuild bool
}

// app is one site, wired. newApp builds it in one straight line; run runs it
// and closes it.
type app struct {
	cfg      *config.Config
	log      *slog.Logger
	roles    roles
	queue    *queue
	sources  map[string]*source.Source
	origins  map[string]*origin.Origin
	renderer *liveRenderer
	feed     *ledger.Feed
	worker   *worker.Worker
	handlers *api.API
	public   *api.Listener
	admin    *api.Listener
	closers  []func() error
}

// newApp opens everything that the config names, and starts our own Redis. A
// Redis of a URL may be away: triggers are spooled then, and the workers begin
// when it is there. After an error nothing is left open.
func newApp(ctx context.Context, cfg *config.Config, roles roles, log *slog.Logger) (_ *app, err error) {
	a := &app{cfg: cfg, log: log, roles: roles}
	if err := checkOpenFiles(cfg); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	site, err := a.openRenderer()
	if err != nil {
		return nil, err
	}
	a.renderer = newLiveRenderer(site)
	if a.queue, err = openQueue(ctx, cfg, roles.build, log); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, a.queue.close)
	if err := a.startRedis(ctx); err != nil {
		return nil, err
	}
	waiting, err := a.openSpool()
	if err != nil {
		return nil, err
	}
	out, err := a.openOutput()
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, out.Close)

	lcfg := ledger.DefaultConfig(host(cfg.Site))
	lcfg.MaxRun = 2 * cfg.Limits.Render
	l, err := ledger.New(a.queue.client, lcfg)
	if err != nil {
		return nil, err
	}
	a.feed = l.Feed()
	wcfg := worker.DefaultConfig()
	wcfg.Workers, wcfg.Render, wcfg.Grace = cfg.Workers, cfg.Limits.Render, cfg.Shutdown
	wcfg.Memory = cfg.Limits.Memory
	wcfg.Quota, wcfg.Reconcile = cfg.Quota.Pages, !roles.build
	processes, err := presence.Enter(filepath.Join(cfg.State, "processes"), l.Process())
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, processes.Close)
	a.worker = worker.New(wcfg, worker.Parts{
		Redis: a.queue.client, Ledger: l, Feed: a.feed, Output: out, Renderer: a.renderer, Log: log, Processes: processes,
		Spool: waiting, Check: a.redisCheck(out, l),
	})
	if err := a.admit(ctx); err != nil {
		return nil, err
	}
	return a, a.openAPI(out, l)
}

// openRenderer opens the sources and origins and loads the first renderer.
func (a *app) openRenderer() (*renderer.Renderer, error) {
	a.sources = make(map[string]*source.Source)
	for name, c := range a.cfg.Sources {
		s, err := source.New(name, c)
		if err != nil {
			return nil, err
		}
		a.sources[name] = s
		a.closers = append(a.closers, func() error { s.Close(); return nil })
	}
	a.origins = make(map[string]*origin.Origin)
	for name, c := range a.cfg.Origins {
		o, err := origin.New(name, c, a.cfg.Site, a.cfg.TrailingSlash)
		if err != nil {
			return nil, err
		}
		a.origins[name] = o
		a.closers = append(a.closers, func() error { o.Close(); return nil })
	}
	return a.loadRenderer()
}

// loadRenderer loads the templates and checks the routes against them. It
// changes nothing of the app.
func (a *app) loadRenderer() (*renderer.Renderer, error) {
	templates, err := a.loadTemplates()
	if err != nil {
		return nil, fmt.Errorf("load templates from %s: %w", a.cfg.Templates, err)
	}
	site, err := renderer.New(renderer.Config{
		Site: a.cfg.Site, Routes: a.cfg.Routes, Sources: a.sources, Origins: a.origins, Templates: templates,
		Rules: storage.PathRules{Reserved: a.cfg.Reserved},
	})
	if err != nil {
		return nil, a.cfg.Wrap(err)
	}
	return site, nil
}

// loadTemplates loads the folder of the templates. A site of snapshots alone
// needs none.
func (a *app) loadTemplates() (*renderer.Templates, error) {
	if !slices.ContainsFunc(a.cfg.Routes, func(r renderer.RouteConfig) bool { return r.Template != "" }) {
		return nil, nil
	}
	return renderer.LoadTemplates(os.DirFS(a.cfg.Templates))
}

// startRedis runs our own Redis in the background of the whole app. It does
// nothing about somebody else's.
func (a *app) startRedis(ctx context.Context) error {
	if a.queue.run == nil {
		return nil
	}
	if !a.roles.build && (!a.roles.api || !a.roles.worker) {
		return errors.New("--only needs a Redis that both processes can reach: name it with `redis:` in rebake.yaml")
	}
	redisCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.queue.run(redisCtx, func() { close(ready) }) }()
	a.closers = append(a.closers, func() error { stop(); return <-ended })
	select {
	case <-ready:
		return nil
	case err := <-ended:
		ended <- nil
		return fmt.Errorf("start our own Redis in %s: %w", filepath.Join(a.cfg.State, "redis"), err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *app) openAPI(out *output.Dir, l *ledger.Ledger) (err error) {
	if !a.roles.api {
		return nil
	}
	token, err := adminToken(a.cfg.State)
	if err != nil {
		return err
	}
	acfg := api.DefaultConfig()
	acfg.Metrics = prometheus.NewRegistry()
	acfg.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	acfg.Secrets, acfg.AdminToken = a.cfg.Secret, token
	acfg.Rules = storage.PathRules{Reserved: a.cfg.Reserved, WellKnown: a.renderer.Load().WellKnown(), FoldCase: out.FoldsCase()}
	acfg.Hosts = knownHosts(a.cfg)
	if acfg.Webhooks, err = webhook.NewSet(a.cfg.AllWebhooks()); err != nil {
		return fmt.Errorf("open webhooks: %w", err) // Load has found everything before
	}
	acfg.MaxBody, acfg.MaxPaths, acfg.MaxWait = a.cfg.Limits.MaxBody, a.cfg.Limits.Paths, a.cfg.Limits.MaxWait
	a.handlers = api.New(acfg, a.worker, a.renderer, l, a.log)
	if a.public, err = api.Listen(a.cfg.Listen, a.handlers.Public(), a.cfg.Shutdown, a.log); err != nil {
		return fmt.Errorf("%w (listen in rebake.yaml)", err)
	}
	if a.admin, err = api.Listen(a.cfg.Admin, a.handlers.Admin(), a.cfg.Shutdown, a.log); err != nil {
		return fmt.Errorf("%w (admin in rebake.yaml)", errors.Join(err, a.public.Close()))
	}
	return nil
}

// run serves until ctx is done, then stops in the order that lets what was
// accepted come to its end, and closes everything.
func (a *app) run(ctx context.Context) error {
	var in, work []service
	if a.roles.api {
		in = append(in, a.public.Run, a.admin.Run)
		a.log.Info("listening", "listen", a.public.Addr(), "admin", a.admin.Addr(), "site", a.cfg.Site)
	}
	if a.roles.worker {
		work = append(work, a.worker.Run)
		a.log.Info("working", "workers", a.cfg.Workers, "output", a.cfg.Output)
	}
	state := []service{a.feed.Run}
	if a.roles.api {
		state = append(state, a.handlers.CountRenders)
	}
	if a.worker.Spool != nil {
		state = append(state, a.worker.Attend)
	}
	return errors.Join(runStages(ctx, in, work, state), a.close())
}

// close closes what newApp opened, the last first.
func (a *app) close() error {
	var errs []error
	for _, c := range slices.Backward(a.closers) {
		errs = append(errs, c())
	}
	a.closers = nil
	return errors.Join(errs...)
}

func host(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		return site
	}
	return u.Host
}

// knownHosts are those whose URLs mean a page of this site: CMSs send the
// permalinks that they know themselves.
func knownHosts(cfg *config.Config) []string {
	hosts := []string{host(cfg.Site)}
	for _, s := range cfg.Sources {
		hosts = append(hosts, host(s.URL))
	}
	for _, o := range cfg.Origins {
		for _, u := range o.URLs {
			hosts = append(hosts, host(u))
		}
		if o.Host != "" {
			hosts = append(hosts, o.Host)
		}
	}
	return hosts
}
