package daemon

import (
	"bytes"
	"slices"

	"rebake/daemon/config"
	"rebake/storage"
)

// configReloader takes from rebake.yaml, while the program runs, what can be
// taken: the secrets, so that they can be rotated without a gap. Everything else
// is the next start's. A file with an error changes nothing.
type configReloader struct {
	app      *app
	read     func() (*config.Config, error)
	secrets  config.Secrets            // in use
	webhooks map[string]config.Secrets // in use, by the names of webhooks
	shown    string                    // the rest, as the operator has been told of it
}

func newConfigReloader(a *app, read func() (*config.Config, error)) *configReloader {
	r := &configReloader{app: a, read: read, secrets: a.cfg.Secret, webhooks: map[string]config.Secrets{}, shown: withoutSecrets(a.cfg)}
	for name, w := range a.cfg.AllWebhooks() {
		r.webhooks[name] = w.Secret
	}
	return r
}

func (r *configReloader) load() {
	cfg, err := r.read()
	if err != nil {
		r.app.log.Error("config not loaded, the old one stays", "err", err)
		return
	}
	if shown := withoutSecrets(cfg); shown != r.shown {
		r.shown = shown
		r.app.log.Warn("the config has changed; of a running rebake only the secrets change, restart it for the rest")
	}
	if r.app.handlers == nil {
		return
	}
	r.loadWebhooks(cfg)
	if slices.Equal(cfg.Secret, r.secrets) {
		return
	}
	r.secrets = cfg.Secret
	r.app.handlers.SetSecrets([]storage.Secret(cfg.Secret))
	r.app.log.Info("secrets loaded", "secrets", len(cfg.Secret))
}

// loadWebhooks takes the secrets of webhooks that there are already.
func (r *configReloader) loadWebhooks(cfg *config.Config) {
	for name, w := range cfg.AllWebhooks() {
		if slices.Equal(w.Secret, r.webhooks[name]) {
			continue
		}
		if err := r.app.handlers.SetWebhookSecrets(name, w.Secret); err != nil {
			r.app.log.Error("secret of a webhook not loaded, the old one stays", "webhook", name, "err", err)
			continue
		}
		r.webhooks[name] = w.Secret
		r.app.log.Info("secrets loaded", "webhook", name, "secrets", len(w.Secret))
	}
}

// withoutSecrets returns all that a config says besides.
func withoutSecrets(c *config.Config) string {
	shown := c.WithoutSecrets()
	var text bytes.Buffer
	_ = shown.Dump(&text) // a buffer takes everything
	return text.String()
}
