package config

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const hookSecret = "a-CANARY-secret-of-a-webhook"

func TestAllWebhooks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(hookSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, required+`
sources:
  cms: {kind: wordpress, url: "https://cms.example.com/wp-json/wp/v2", webhook: {secret_file: `+file+`}}
  shop: {url: "https://shop.example.com/api", webhook: {kind: strapi, secret: [`+hookSecret+`, `+hookSecret+`-2], settle: 0s}}
origins:
  wp: {kind: wordpress, urls: [https://wp.example.com], webhook: {secret: `+hookSecret+`, max_wait: 3s}}
webhooks:
  gh: {kind: github, secret: `+hookSecret+`, rules: [{paths: "/a"}]}
`)
	got := map[string]string{}
	for name, w := range c.AllWebhooks() {
		got[name] = strings.Join([]string{w.Kind, w.Settle.String(), w.MaxWait.String(), w.Recheck.String()}, " ")
		if !strings.HasPrefix(w.Secret[0].Reveal(), hookSecret) {
			t.Errorf("%s has the secret %s", name, w.Secret[0])
		}
	}
	want := map[string]string{
		"cms": "wordpress 500ms 5s 0s", "shop": "strapi 0s 10s 5s", "wp": "wordpress 500ms 3s 0s", "gh": "github 2s 10s 0s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("webhooks (-want +got):\n%s", diff)
	}
	if texts := c.Webhooks["gh"].Rules[0].Paths; !slices.Equal(texts, []string{"/a"}) {
		t.Errorf("paths are %q", texts)
	}
	text := dump(t, c)
	if strings.Contains(text, "CANARY") || !strings.Contains(text, "secret_file: "+file) || strings.Count(text, "<secret>") != 5 {
		t.Errorf("dumped as\n%s", text)
	}
}

func TestWithoutSecrets(t *testing.T) {
	c := load(t, required+"webhooks:\n  a: {kind: strapi, secret: "+hookSecret+"}\n"+
		"sources:\n  cms: {kind: wordpress, url: https://cms.example.com, webhook: {secret: "+hookSecret+"}}\n")
	if text := dump(t, c.WithoutSecrets()); strings.Contains(text, "secret") {
		t.Errorf("dumped without secrets as\n%s", text)
	}
	if c.Webhooks["a"].Secret == nil || c.Secret == nil || c.Sources["cms"].Webhook.Secret == nil {
		t.Error("the config itself lost its secrets")
	}
}

func TestLoad_webhookErrors(t *testing.T) {
	const ok = "kind: strapi, secret: " + hookSecret
	for name, c := range map[string]struct{ text, want string }{
		"no kind":             {"webhooks:\n  a: {secret: " + hookSecret + "}", "rebake.yaml:5: webhooks.a.kind: required: who sends; known: contentful, "},
		"unknown kind":        {"webhooks:\n  a: {kind: x, secret: " + hookSecret + "}", `rebake.yaml:5: webhooks.a.kind: unknown kind "x"`},
		"unknown key":         {"webhooks:\n  a: {" + ok + ", rule: []}", `rebake.yaml:5: webhooks.a.rule: unknown key, did you mean "rules"?`},
		"hidden key":          {"webhooks:\n  a: {" + ok + ", \"-\": true}", `webhooks.a.-: unknown key`},
		"no secret":           {"webhooks:\n  a: {kind: strapi}", "rebake.yaml:5: webhooks.a.secret: required; make one with"},
		"short secret":        {"webhooks:\n  a:\n    kind: strapi\n    secret: CANARY", "rebake.yaml:7: webhooks.a.secret: must have at least 8 bytes"},
		"short listed":        {"webhooks:\n  a:\n    kind: strapi\n    secret:\n      - " + hookSecret + "\n      - CANARY", "rebake.yaml:9: webhooks.a.secret[1]: must have at least 8 bytes"},
		"obvious secret":      {"webhooks:\n  a: {kind: strapi, secret: changeme}", "rebake.yaml:5: webhooks.a.secret: is the first that anybody would try"},
		"the site's secret":   {"webhooks:\n  a: {kind: strapi, secret: " + goodSecret + "}", "rebake.yaml:5: webhooks.a.secret: is that of /api/revalidate, too"},
		"unset secret":        {"webhooks:\n  a: {kind: strapi, secret: \"${NONE}\"}", "rebake.yaml:5: webhooks.a.secret: the environment variable NONE is not set"},
		"no secret file":      {"webhooks:\n  a: {kind: strapi, secret_file: /nowhere/at/all}", "rebake.yaml:5: webhooks.a.secret_file: open /nowhere/at/all"},
		"both":                {"webhooks:\n  a: {" + ok + ", secret_file: /nowhere}", "rebake.yaml:5: webhooks.a.secret_file: secret is set too"},
		"bad name":            {"webhooks:\n  a/b: {" + ok + "}", `rebake.yaml:5: webhooks."a/b": the name of a webhook is made of`},
		"bad rule":            {"webhooks:\n  a:\n    kind: strapi\n    secret: " + hookSecret + "\n    rules:\n      - paths:\n          - /\n          - \"/{bod}\"", "rebake.yaml:11: webhooks.a.rules[0].paths[1]: {bod}: unknown name bod"},
		"unquoted rule":       {"webhooks:\n  a: {" + ok + ", rules: [{paths: {body.x}}]}", "rebake.yaml:5: webhooks.a.rules[0].paths: must be a list, or a text in quotes"},
		"settle":              {"webhooks:\n  a: {" + ok + ", settle: 1m}", "rebake.yaml:5: webhooks.a.max_wait: is less than settle (1m0s); left out, it is 10s"},
		"verify":              {"webhooks:\n  a: {" + ok + ", verify: {algorithm: md5}}", "rebake.yaml:5: webhooks.a.verify.algorithm: "},
		"name of a source":    {"sources:\n  a: {kind: wordpress, url: https://a.example, webhook: {secret: " + hookSecret + "}}\nwebhooks:\n  a: {" + ok + "}", "rebake.yaml:7: webhooks.a: sources.a.webhook has the name a already, and the address /_rebake/webhooks/a"},
		"source of no kind":   {"sources:\n  a: {url: https://a.example, webhook: {secret: " + hookSecret + "}}", "rebake.yaml:5: sources.a.webhook.kind: required"},
		"source's secret":     {"sources:\n  a: {kind: wordpress, url: https://a.example, webhook: {secret: CANARY}}", "rebake.yaml:5: sources.a.webhook.secret: must have"},
		"source's other kind": {"sources:\n  a: {kind: wordpress, url: https://a.example, webhook: {" + ok + "}}", "rebake.yaml:5: sources.a.webhook.kind: a WordPress does not send as strapi does; leave it out for Rebake's plugin (or: woocommerce, "},
		"origin's other kind": {"origins:\n  a: {kind: wordpress, urls: [https://a.example], webhook: {" + ok + "}}", "rebake.yaml:5: origins.a.webhook.kind: a WordPress does not send as strapi does"},
		"origin of no kind":   {"origins:\n  a: {urls: [https://a.example], webhook: {secret: " + hookSecret + "}}", "rebake.yaml:5: origins.a.webhook.kind: required"},
		"unknown in a source": {"sources:\n  a: {kind: wordpress, url: https://a.example, webhook: {secert: x}}", `sources.a.webhook.secert: unknown key, did you mean "secret"?`},
	} {
		t.Run(name, func(t *testing.T) {
			got := loadError(t, required+c.text+"\n")
			if !strings.Contains(got, c.want) || strings.Contains(got, "CANARY") {
				t.Errorf("Load: %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestLoad_webhookKindsThatFit(t *testing.T) {
	for upstream, kinds := range map[string][]string{
		"sources:\n  a: {kind: wordpress, url: https://a.example":    {"wordpress", "woocommerce", "wp-webhooks", "generic", "standard"},
		"origins:\n  a: {kind: wordpress, urls: [https://a.example]": {"wordpress", "generic"},
		"sources:\n  a: {url: https://a.example":                     {"wordpress", "strapi", "ghost", "woocommerce", "generic"},
		"origins:\n  a: {kind: next, urls: [https://a.example]":      {"wordpress", "strapi", "standard"},
	} {
		for _, kind := range kinds {
			load(t, required+upstream+", webhook: {kind: "+kind+", secret: "+secretOf(kind)+"}}\n")
		}
	}
}

// secretOf is one that the kind takes.
func secretOf(kind string) string {
	if kind == "standard" {
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(hookSecret))
	}
	return hookSecret
}

func TestLoad_secretFileOfAWebhookIsOneProblem(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"/nowhere/at/all": "no such file", empty: "is empty"} {
		got := loadError(t, required+"origins:\n  a: {kind: wordpress, urls: [https://a.example], webhook: {secret_file: "+file+"}}\n")
		if !strings.Contains(got, want) || strings.Count(got, "secret_file") != 1 {
			t.Errorf("Load: %s\nwant one problem: %s", got, want)
		}
	}
}

func TestWarnings_webhookSecret(t *testing.T) {
	c := load(t, required+"webhooks:\n  a: {kind: strapi, secret: CANARY-123}\n")
	got := strings.Join(c.Warnings(), "\n")
	if !strings.Contains(got, "webhooks.a.secret: has less than 24 bytes") || strings.Contains(got, "CANARY") {
		t.Errorf("warnings: %s", got)
	}
}

func TestWebhooks_defaultsAreTheKinds(t *testing.T) {
	c := load(t, required+"webhooks:\n  a: {kind: strapi, secret: "+hookSecret+"}\n")
	if w := c.Webhooks["a"]; *w.Settle != time.Second || *w.MaxWait != 10*time.Second || *w.Recheck != 5*time.Second {
		t.Errorf("times are %s, %s and %s", w.Settle, w.MaxWait, w.Recheck)
	}
}
