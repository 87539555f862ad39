package api

import (
	"strings"
	"testing"
	"testing/synctest"

	"rebake/api/webhook"
)

// Senders drop the answer, so the log has to tell of an event that did nothing.
func TestWebhook_logsWhatTriggersNothing(t *testing.T) {
	for name, c := range map[string]struct {
		kind, body, want string
		rules            []webhook.Rule
	}{
		"another host": {kind: "generic", body: `{"paths":["https://example.com/blog/a"]}`, want: `is no page of this site`},
		"a query":      {kind: "generic", body: `{"paths":["/a?x=1"]}`, want: "left out"},
		"a draft":      {kind: "strapi", body: `{"event":"entry.update","model":"article","entry":{"documentId":"x","publishedAt":null}}`, want: "a draft was saved"},
		"no rule":      {kind: "generic", body: `{"paths":["/a"]}`, rules: []webhook.Rule{{When: "body.none"}}, want: "no rule matches"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newHooked(t, map[string]webhook.Config{"cms": {Kind: c.kind, Rules: c.rules}})
			if w := f.send("cms", c.body); w.Code != 200 {
				t.Fatalf("answer is %d %s", w.Code, w.Body)
			}
			f.idle()
			f.counted("cms", eventIgnored, 1)
			if log := f.logs.String(); !strings.Contains(log, "event triggers nothing") || !strings.Contains(log, `"webhook":"cms"`) || !strings.Contains(log, c.want) {
				t.Errorf("the log does not say %q:\n%s", c.want, log)
			}
		})
	}
}

func TestWebhook_logsWhatIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		rules []webhook.Rule
	}{
		"beside a page":         {`{"paths":["/a","https://example.com/b"]}`, nil},
		"beside what is parked": {`{}`, []webhook.Rule{{Paths: webhook.Texts{"https://example.com/b", "{body.none.slug}"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newHooked(t, map[string]webhook.Config{"cms": {Kind: "generic", Rules: c.rules}})
			f.send("cms", c.body)
			if log := f.logs.String(); !strings.Contains(log, "event names what is not on this site") || !strings.Contains(log, "https://example.com/b") {
				t.Errorf("the log does not say what was left out:\n%s", log)
			}
		})
	}
}

func TestWebhook_parksWhatNamesNothing(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"cms": {Kind: "generic"}})
	f.send("cms", `{"paths":[{"path":"/blog/a"}]}`)
	f.idle()
	f.counted("cms", eventParked, 1)
	if log := f.logs.String(); len(f.state.parked) != 1 || !strings.Contains(log, "names no path") {
		t.Errorf("%d are parked, the log says\n%s", len(f.state.parked), log)
	}
}

// WooCommerce does not sign what it sends when a webhook is saved.
func TestWebhook_pingOfWooCommerce(t *testing.T) {
	const isForm = "Content-Type: application/x-www-form-urlencoded"
	hooks := map[string]webhook.Config{"shop": {Kind: "woocommerce"}, "other": {Kind: "generic"}}
	f := newHooked(t, hooks)
	if w := do(t, f.Public(), "POST", "/_rebake/webhooks/shop", "webhook_id=5", isForm); w.Code != 200 {
		t.Errorf("answer is %d %s, want 200", w.Code, w.Body)
	}
	for name, c := range map[string]struct {
		hook, body string
		headers    []string
	}{
		"of another kind":     {"other", "webhook_id=5", nil},
		"no number":           {"shop", "webhook_id=5a", nil},
		"nothing":             {"shop", "webhook_id=", nil},
		"more":                {"shop", "webhook_id=5&id=7", nil},
		"with a topic":        {"shop", "webhook_id=5", []string{"X-WC-Webhook-Topic: product.updated"}},
		"with a signature":    {"shop", "webhook_id=5", []string{"X-WC-Webhook-Signature: AAAA"}},
		"with a large number": {"shop", "webhook_id=" + strings.Repeat("1", 30), nil},
	} {
		if w := do(t, f.Public(), "POST", "/_rebake/webhooks/"+c.hook, c.body, append(c.headers, isForm)...); w.Code != 401 {
			t.Errorf("%s: answer is %d %s, want 401", name, w.Code, w.Body)
		}
	}
	f.idle()
	if len(f.state.parked) > 0 {
		t.Errorf("%d are parked", len(f.state.parked))
	}
}

func TestWebhook_pingsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHooked(t, map[string]webhook.Config{"shop": {Kind: "woocommerce"}})
		codes := map[int]int{}
		for range failuresAtOnce + 1 {
			codes[do(t, f.Public(), "POST", "/_rebake/webhooks/shop", "webhook_id=5").Code]++
		}
		if codes[200] != failuresAtOnce || codes[429] != 1 {
			t.Errorf("answers are %v", codes)
		}
	})
}
