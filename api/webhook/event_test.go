package webhook

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/api/signature"
	"rebake/storage"
)

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		want              any
	}{
		"nothing":               {"", " \n", nil},
		"null":                  {"application/json", "null", nil},
		"list":                  {"application/json", "[1, 2]", []any{1, 2}},
		"whole numbers":         {"application/vnd.contentful.management.v1+json", `{"a": 3, "b": 2.0, "c": 1e3}`, map[string]any{"a": 3, "b": 2, "c": 1000}},
		"a number with a point": {"", "1.5", 1.5},
		"a number too long":     {"", "12345678901234567890", json.Number("12345678901234567890")},
		"a number too large":    {"", "1e999", json.Number("1e999")},
		"a mark at the start":   {"application/json", "\ufeff{}", map[string]any{}},
		"JSON called a form":    {"application/x-www-form-urlencoded", `{"a": "b"}`, map[string]any{"a": "b"}},
		"a form":                {"application/x-www-form-urlencoded", "a=b&c=d&c=e+f", map[string]any{"a": "b", "c": []any{"d", "e f"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decode(c.contentType, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecode_H44_refuses(t *testing.T) {
	for name, c := range map[string]struct{ contentType, body, want string }{
		"text":              {"application/json", "hello", "it is not JSON"},
		"half":              {"application/json", `{"a": `, "it is not JSON"},
		"two values":        {"application/json", `{} {}`, "goes on after"},
		"another encoding":  {"application/json", "{\"a\": \"\xff\"}", "not UTF-8"},
		"a damaged form":    {"application/x-www-form-urlencoded", "a=%zz", "the form is damaged"},
		"a very deep value": {"application/json", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "it is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode(c.contentType, []byte(c.body))
			if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("decode: %v, want %q", err, c.want)
			}
		})
	}
}

// sent is a request of a sender that sends the secret itself.
func sent(secret storage.Secret, body string, headers ...string) signature.Request {
	r := signature.Request{Method: "POST", URL: &url.URL{Path: Prefix + "cms"}, Header: http.Header{}, Body: []byte(body)}
	r.Header.Set("Authorization", "Bearer "+secret.Reveal())
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// A delivery is known by the id of its sender and by its body: anybody can
// write a header that is not signed.
func TestHook_Seen(t *testing.T) {
	h, now := mustHook(t, Config{Kind: "generic"}), time.Now()
	verify := func(body string, headers ...string) Delivery {
		d, err := h.Verify(sent(testSecret, body, headers...), now)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	h.Done(verify(`{"a":1}`, "Idempotency-Key: 1"), now)
	for name, c := range map[string]struct {
		d    Delivery
		want bool
	}{
		"the same":       {verify(`{"a":1}`, "Idempotency-Key: 1"), true},
		"another id":     {verify(`{"a":1}`, "Idempotency-Key: 2"), false},
		"another body":   {verify(`{"a":2}`, "Idempotency-Key: 1"), false},
		"one without id": {verify(`{"a":1}`), false},
		"a trace's id":   {verify(`{"a":1}`, "X-Request-Id: 1"), false},
	} {
		if got := h.Seen(c.d, now); got != c.want {
			t.Errorf("%s: Seen is %v", name, got)
		}
	}
	h.Done(verify(`{"a":3}`, "X-Request-Id: 1"), now)
	if h.Seen(verify(`{"a":3}`, "X-Request-Id: 1"), now) {
		t.Error("two equal events of one trace are one delivery")
	}
	if h.Seen(verify(`{"a":1}`, "Idempotency-Key: 1"), now.Add(time.Hour)) {
		t.Error("it is remembered for ever")
	}
}

// What an event is kept with, and what its rules may read, lets nobody in.
func TestEvent_holdsNoSecret(t *testing.T) {
	h := mustHook(t, Config{Kind: "generic"})
	r := sent(testSecret, "{}", "X-Event: publish", "X-Author: ana", "X-My-Token: CANARY", "X-Webhook-Secret: CANARY", "Cookie: CANARY", "X-Signature: CANARY")
	d, err := h.Verify(r, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Event(r, d)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"x-event": "publish", "x-author": "ana"}, e.Kept()); diff != "" {
		t.Errorf("headers that are kept (-want +got):\n%s", diff)
	}
	if _, has := e.Header["authorization"]; has || e.Header["x-event"] != "publish" {
		t.Errorf("headers for rules: %v", e.Header)
	}
}
