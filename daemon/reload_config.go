package daemon

import (
	"maps"
	"slices"
	"strings"

	"rebake/api/webhook"
	"rebake/daemon/config"
	"rebake/storage"
)

// configReloader takes from rebake.yaml, while the program runs, what can be
// taken: the webhooks, and the secrets, so that they can be rotated without a
// gap. Everything else is the next start's. A file with an error changes
// nothing.
type configReloader struct {
	app      *app
	read     func() (*config.Config, error)
	secrets  config.Secrets            // in use
	webhooks map[string]webhook.Config // in use
}

func newConfigReloader(a *app, read func() (*config.Config, error)) *configReloader {
	return &configReloader{app: a, read: read, secrets: a.cfg.Secret, webhooks: a.cfg.AllWebhooks()}
}

func (r *configReloader) load() {
	cfg, err := r.read()
	if err != nil {
		r.app.log.Error("config not loaded, the old one stays", "err", err)
		return
	}
	if r.app.handlers != nil {
		r.loadWebhooks(cfg)
		r.loadSecrets(cfg)
	}
	if keys := r.app.cfg.RestartFor(cfg); len(keys) > 0 {
		r.app.log.Warn("the config has changed in keys that wait for a restart", "keys", strings.Join(keys, " "))
	}
	r.app.log.Info("config loaded")
}

func (r *configReloader) loadSecrets(cfg *config.Config) {
	if slices.Equal(cfg.Secret, r.secrets) {
		return
	}
	r.secrets = cfg.Secret
	r.app.handlers.SetSecrets([]storage.Secret(cfg.Secret))
	r.app.log.Info("secrets loaded", "secrets", len(cfg.Secret))
}

// loadWebhooks takes over the webhooks, and says of each what has changed.
func (r *configReloader) loadWebhooks(cfg *config.Config) {
	next := r.served(cfg.AllWebhooks())
	if err := r.app.handlers.SetWebhooks(next); err != nil {
		r.app.log.Error("webhooks not loaded, the old ones stay", "err", err)
		return
	}
	before := r.webhooks
	r.webhooks = next
	names := slices.AppendSeq(slices.Collect(maps.Keys(before)), maps.Keys(next))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		was, old := before[name]
		is, there := next[name]
		switch {
		case !there:
			r.app.log.Info("webhook taken away", "webhook", name)
		case !old:
			r.app.log.Info("webhook loaded", "webhook", name, "kind", is.Kind, "rules", len(is.Rules))
		case !is.SameButSecrets(was):
			r.app.log.Info("webhook loaded", "webhook", name, "kind", is.Kind, "rules", len(is.Rules), "secrets", len(is.Secret))
		case !slices.Equal(is.Secret, was.Secret):
			r.app.log.Info("secrets loaded", "webhook", name, "secrets", len(is.Secret))
		}
	}
}

// served returns the webhooks of a file that can be taken over. A source or an
// origin comes and goes with a restart, and its webhook with it.
func (r *configReloader) served(all map[string]webhook.Config) map[string]webhook.Config {
	maps.DeleteFunc(all, func(name string, w webhook.Config) bool { return w.Upstream && !r.runs(name) })
	return all
}

func (r *configReloader) runs(name string) bool {
	_, source := r.app.cfg.Sources[name]
	_, origin := r.app.cfg.Origins[name]
	return source || origin
}
