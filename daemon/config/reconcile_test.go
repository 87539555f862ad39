package config

import (
	"strings"
	"testing"
	"time"
)

func TestReconcile(t *testing.T) {
	c := load(t, required+`
sources:
  often: {url: https://a.example, reconcile: 30s}
  never: {kind: wordpress, url: https://a.example, reconcile: off}
  usual: {kind: wordpress, url: https://a.example}
origins:
  wp: {kind: wordpress, urls: ["http://127.0.0.1:1"], reconcile: 1h}
`)
	for name, want := range map[string]time.Duration{"often": 30 * time.Second, "never": 0, "usual": 5 * time.Minute} {
		if got := c.Sources[name].Reconcile.Or(5 * time.Minute); got != want {
			t.Errorf("%s: every %s, want %s", name, got, want)
		}
	}
	if got := c.Origins["wp"].Reconcile.Or(0); got != time.Hour {
		t.Errorf("wp: every %s", got)
	}
	text := dump(t, c)
	for _, want := range []string{"reconcile: 30s", `reconcile: "off"`, "reconcile: 1h0m0s"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestReconcile_bad(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"too often":   {"sources: {a: {url: https://a.example, reconcile: 1s}}", "sources.a.reconcile: must be off, or a duration of at least 10s, such as 5m"},
		"no duration": {"sources: {a: {url: https://a.example, reconcile: 5}}", "sources.a.reconcile: must be off, or a duration of at least 10s, such as 5m"},
		"other origin": {"origins: {a: {kind: next, urls: [\"http://127.0.0.1:1\"], reconcile: 5m}}",
			"origins.a.reconcile: is for kind wordpress alone; nothing says what has changed in another origin"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := loadError(t, required+c.text); !strings.Contains(got, c.want) {
				t.Errorf("it says %q, want %q", got, c.want)
			}
		})
	}
}
