package config

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"rebake/api/webhook"
	"rebake/renderer/origin"
	"rebake/renderer/upstream"
)

// AllWebhooks returns every webhook by its name: those of `webhooks`, of
// sources and of origins. They are a copy.
func (c *Config) AllWebhooks() map[string]webhook.Config {
	all := make(map[string]webhook.Config)
	for _, w := range c.webhooks() {
		if _, twice := all[w.name]; !twice {
			all[w.name] = w.cfg.WithDefaults()
		}
	}
	return all
}

// namedWebhook is a webhook, with the key at which it stands.
type namedWebhook struct {
	name, key string
	cfg       webhook.Config
	wordpress bool                 // it is that of a source or origin of kind wordpress
	save      func(webhook.Config) // writes it back
}

// webhooks returns them all, in the order of the keys and names.
func (c *Config) webhooks() []namedWebhook {
	var all []namedWebhook
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if w := c.Sources[name].Webhook; w != nil {
			all = append(all, ofUpstream(name, join("sources", name), c.Sources[name].Kind, w))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Origins)) {
		if w := c.Origins[name].Webhook; w != nil {
			kind := ""
			if c.Origins[name].Kind == origin.WordPress {
				kind = string(origin.WordPress)
			}
			all = append(all, ofUpstream(name, join("origins", name), kind, w))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Webhooks)) {
		all = append(all, namedWebhook{
			name: name, key: join("webhooks", name), cfg: c.Webhooks[name], save: func(w webhook.Config) { c.Webhooks[name] = w },
		})
	}
	return all
}

// ofUpstream is the webhook of a source or an origin.
func ofUpstream(name, key, kind string, w *upstream.Webhook) namedWebhook {
	cfg := webhook.Config{
		Kind: cmp.Or(w.Kind, kind), Secret: w.Secret, SecretFile: w.SecretFile, Settle: w.Settle, MaxWait: w.MaxWait, Upstream: true,
	}
	save := func(c webhook.Config) {
		w.Kind, w.Secret, w.SecretFile, w.Settle, w.MaxWait = c.Kind, c.Secret, c.SecretFile, c.Settle, c.MaxWait
	}
	return namedWebhook{name: name, key: key + ".webhook", cfg: cfg, wordpress: kind == string(origin.WordPress), save: save}
}

// resolveWebhooks brings them into their final form. What is wrong with their
// files is returned.
func (c *Config) resolveWebhooks(folder string) (problems []Problem) {
	for _, w := range c.webhooks() {
		cfg := w.cfg.WithDefaults()
		if cfg.SecretFile != "" {
			if !filepath.IsAbs(cfg.SecretFile) {
				cfg.SecretFile = filepath.Join(folder, cfg.SecretFile)
			}
			if cfg.Secret != nil {
				problems = append(problems, c.problem(w.key+".secret_file", "secret is set too; keep one of them"))
			} else if secret, err := readSecret(cfg.SecretFile); err != nil {
				problems = append(problems, c.problem(w.key+".secret_file", err.Error()))
			} else {
				cfg.Secret = secret
			}
		}
		w.save(cfg)
	}
	return problems
}

// ofWordPress are the kinds of webhooks that a WordPress can send: Rebake's
// plugin, other plugins, and code of somebody's own.
var ofWordPress = []string{"wordpress", "woocommerce", "wp-webhooks", "generic", "standard"}

// webhooks checks each, and that no two have one name.
func (k *checker) webhooks() {
	taken := make(map[string]string) // the key of each name
	for _, w := range k.c.webhooks() {
		if !nameForm.MatchString(w.name) {
			if !strings.HasSuffix(w.key, ".webhook") { // else its source has said so
				k.bad(w.key, "the name of a webhook is made of letters, digits, _ and -")
			}
			continue
		}
		if other, twice := taken[w.name]; twice {
			k.bad(w.key, "%s has the name %s already, and the address %s%s; take another", other, w.name, webhook.Prefix, w.name)
		}
		taken[w.name] = w.key
		if w.cfg.Kind == "" {
			k.bad(w.key+".kind", "required: who sends; known: %s", strings.Join(webhook.Kinds(), ", "))
			continue
		}
		if w.wordpress && slices.Contains(webhook.Kinds(), w.cfg.Kind) && !slices.Contains(ofWordPress, w.cfg.Kind) {
			k.bad(w.key+".kind", "a WordPress does not send as %s does; leave it out for Rebake's plugin (or: %s), or give that CMS a place of its own in webhooks",
				w.cfg.Kind, strings.Join(ofWordPress[1:], ", "))
		}
		_, err := webhook.New(w.name, w.cfg)
		for _, err := range split(err) {
			sub, message := splitKey(w.key + "." + err.Error())
			k.bad(k.c.webhookKey(w, sub), "%s", message)
		}
		k.webhookSecrets(w)
	}
}

// webhookKey returns the key in the file that a problem is about: a single
// secret is no list there, and may stand in a file.
func (c *Config) webhookKey(w namedWebhook, key string) string {
	rest, isSecret := strings.CutPrefix(key, w.key+".secret")
	switch _, listed := c.place.lines[key]; {
	case !isSecret || strings.HasPrefix(rest, "_"):
		return key
	case w.cfg.SecretFile != "":
		return w.key + ".secret_file"
	case !listed:
		return w.key + ".secret"
	}
	return key
}

func (k *checker) webhookSecrets(w namedWebhook) {
	for i, s := range w.cfg.Secret {
		key := k.c.webhookKey(w, fmt.Sprintf("%s.secret[%d]", w.key, i))
		switch text := s.Reveal(); {
		case slices.Contains(obvious, strings.ToLower(text)):
			k.bad(key, "is the first that anybody would try; %s", howToMakeSecret)
		case strings.ContainsFunc(text, unicode.IsControl):
			k.bad(key, "holds a line break or another control character, which no header can carry")
		case slices.Contains(k.c.Secret, s):
			k.bad(key, "is that of /api/revalidate, too; a webhook needs one of its own")
		}
	}
	if w.cfg.SecretFile != "" && k.c.Output != "" && within(k.c.Output, w.cfg.SecretFile) {
		k.bad(w.key+".secret_file", "must not lie inside output (%s): the web server would serve it", k.c.Output)
	}
}

// warnWebhooks tells of secrets that could be guessed.
func (c *Config) warnWebhooks(warn func(key, message string)) {
	for _, w := range c.webhooks() {
		for i, s := range w.cfg.Secret {
			if n := len(s.Reveal()); n < fairSecret {
				warn(c.webhookKey(w, fmt.Sprintf("%s.secret[%d]", w.key, i)), fmt.Sprintf("has less than %d bytes; %s", fairSecret, howToMakeSecret))
			}
		}
	}
}

// withoutFileSecrets leaves out the secrets of webhooks that stand in files. It
// changes copies alone.
func (c *Config) withoutFileSecrets() {
	c.Webhooks, c.Sources, c.Origins = maps.Clone(c.Webhooks), maps.Clone(c.Sources), maps.Clone(c.Origins)
	for name, s := range c.Sources {
		s.Webhook = copied(s.Webhook)
		c.Sources[name] = s
	}
	for name, o := range c.Origins {
		o.Webhook = copied(o.Webhook)
		c.Origins[name] = o
	}
	for _, w := range c.webhooks() {
		if w.cfg.SecretFile != "" {
			w.cfg.Secret = nil
			w.save(w.cfg)
		}
	}
}

// WithoutSecrets returns a copy that has no secret that can be changed while
// the program runs.
func (c *Config) WithoutSecrets() *Config {
	shown := *c
	shown.Secret = nil
	shown.withoutFileSecrets()
	for _, w := range shown.webhooks() {
		w.cfg.Secret = nil
		w.save(w.cfg)
	}
	return &shown
}

func copied[T any](v *T) *T {
	if v == nil {
		return nil
	}
	c := *v
	return &c
}
