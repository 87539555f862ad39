package signature

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rebake/api/signature/signedtest"
	"rebake/storage"
)

// signedEvent is a request that code of the sender's has signed, and none of
// ours.
type signedEvent struct {
	name    string
	request Request
	secret  storage.Secret
	sent    time.Time
	schemes []Scheme
	// proof are the headers that prove the sender.
	proof []string
}

func (e signedEvent) verifier(t testing.TB, secrets ...storage.Secret) *Verifier {
	t.Helper()
	v, err := New(e.schemes, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// copied returns the request for a test to change.
func (e signedEvent) copied() Request {
	r, u := e.request, *e.request.URL
	r.URL, r.Header, r.Body = &u, r.Header.Clone(), append([]byte(nil), r.Body...)
	return r
}

func signedEvents(t testing.TB) []signedEvent {
	t.Helper()
	var events []signedEvent
	for _, e := range signedtest.Events(t) {
		schemes, err := Preset(e.Kind, Options{Header: e.Options.Header, BodyOnly: e.Options.BodyOnly})
		if err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		r := Request{Method: e.Method, URL: e.URL(t), Header: e.Header(), Body: e.Body}
		events = append(events, signedEvent{e.Name, r, storage.Secret(e.Secret), e.Time, schemes, e.Proof})
	}
	return events
}

// eachEvent runs a test on each signed event that vouches as asked.
func eachEvent(t *testing.T, of func(Event, signedEvent) bool, test func(*testing.T, signedEvent)) {
	for _, e := range signedEvents(t) {
		verified, err := e.verifier(t, e.secret).Verify(e.copied(), e.sent)
		if err != nil {
			t.Errorf("%s: %v", e.name, err)
			continue
		}
		if of(verified, e) {
			t.Run(e.name, func(t *testing.T) { test(t, e) })
		}
	}
}

func all(Event, signedEvent) bool { return true }

// hashed reports whether the sender signs the body; the others send the secret.
func hashed(_ Event, e signedEvent) bool {
	for _, s := range e.schemes {
		if s.Algorithm != Token && e.request.Header.Get(s.Header) != "" {
			return true
		}
	}
	return false
}

func timed(v Event, _ signedEvent) bool { return !v.Sent.IsZero() }

func refuses(t *testing.T, v *Verifier, e signedEvent, what string, r Request) {
	t.Helper()
	if _, err := v.Verify(r, e.sent); !errors.Is(err, ErrRefused) {
		t.Errorf("with %s: %v, want it refused", what, err)
	}
}

func TestPreset_takesWhatEachSenderSends(t *testing.T) {
	kinds := map[string]bool{}
	eachEvent(t, all, func(t *testing.T, e signedEvent) {
		kinds[strings.TrimPrefix(e.request.URL.Path, "/_rebake/webhooks/")] = true
	})
	for _, kind := range Kinds() {
		if !kinds[kind] {
			t.Errorf("no event of kind %s is tried", kind)
		}
	}
}

func TestPreset_H35_bodyThatWasChanged(t *testing.T) {
	eachEvent(t, hashed, func(t *testing.T, e signedEvent) {
		v := e.verifier(t, e.secret)
		for i := range e.request.Body {
			r := e.copied()
			r.Body[i] ^= 1
			refuses(t, v, e, fmt.Sprintf("byte %d changed", i), r)
		}
		for what, body := range map[string]string{
			"no body": "", "a line break more": string(e.request.Body) + "\n", "a byte less": string(e.request.Body[1:]),
			"the body twice": string(e.request.Body) + string(e.request.Body),
		} {
			r := e.copied()
			r.Body = []byte(body)
			refuses(t, v, e, what, r)
		}
	})
}

func TestPreset_anotherSecret(t *testing.T) {
	eachEvent(t, all, func(t *testing.T, e signedEvent) {
		other := storage.Secret(strings.Repeat("another.", 8))
		if strings.HasPrefix(e.secret.Reveal(), "whsec_") {
			other = storage.Secret("whsec_" + base64.StdEncoding.EncodeToString([]byte(other)))
		}
		if _, err := e.verifier(t, other).Verify(e.copied(), e.sent); !errors.Is(err, ErrRefused) {
			t.Errorf("%v, want it refused", err)
		}
		if _, err := e.verifier(t, other, e.secret).Verify(e.copied(), e.sent); err != nil {
			t.Errorf("with both secrets: %v", err)
		}
	})
}

func TestPreset_headersThatWereChanged(t *testing.T) {
	eachEvent(t, all, func(t *testing.T, e signedEvent) {
		v := e.verifier(t, e.secret)
		for _, name := range e.proof {
			value := e.request.Header.Get(name)
			for what, values := range map[string][]string{
				"missing": nil, "empty": {""}, "cut": {value[:len(value)-1]}, "longer": {value + "0"}, "another": {"x" + value[1:]}, "twice": {value, value},
			} {
				if what == "twice" && e.takesSeveral(name) || e.name == "ghost-old" && what != "missing" && what != "empty" && what != "another" {
					continue // what these change is the time, which is not signed
				}
				r := e.copied()
				r.Header[http.CanonicalHeaderKey(name)] = values
				refuses(t, v, e, name+" "+what, r)
			}
		}
	})
}

// takesSeveral reports whether a header may hold several signatures, as that of
// Standard Webhooks may.
func (e signedEvent) takesSeveral(header string) bool {
	return slices.ContainsFunc(e.schemes, func(s Scheme) bool { return strings.EqualFold(s.Header, header) && s.Separator == " " })
}

func TestPreset_H36_time(t *testing.T) {
	eachEvent(t, timed, func(t *testing.T, e signedEvent) {
		for after, taken := range map[time.Duration]bool{-302 * time.Second: false, -299 * time.Second: true, 299 * time.Second: true, 302 * time.Second: false} {
			if _, err := e.verifier(t, e.secret).Verify(e.copied(), e.sent.Add(after)); taken != (err == nil) {
				t.Errorf("%s after it was sent: %v, want it taken: %v", after, err, taken)
			}
		}
	})
}

// TestPreset_H37_replay asks that a request which is sent again is known again,
// where the sender says enough to tell it from another.
func TestPreset_H37_replay(t *testing.T) {
	for _, e := range signedEvents(t) {
		t.Run(e.name, func(t *testing.T) {
			v, r := e.verifier(t, e.secret), NewRecent(0)
			first, err := v.Verify(e.copied(), e.sent)
			if err != nil {
				t.Fatal(err)
			}
			r.Done(first.Key, e.sent)
			again, err := v.Verify(e.copied(), e.sent.Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			if known := r.Seen(again.Key, e.sent.Add(time.Minute)); known != (first.Key != "") || first.Key == "" && !first.Sent.IsZero() {
				t.Errorf("it is known: %v; its key is %x", known, first.Key)
			}
		})
	}
}

// TestPreset_H40_forgedHeaders sends what proxies and frameworks trust.
func TestPreset_H40_forgedHeaders(t *testing.T) {
	forged := map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "X-Original-Url": "/other", "X-Http-Method-Override": "GET",
		"X-Middleware-Subrequest": "middleware", "X-Prerender-Revalidate": "1", "Host": "evil.example.com",
	}
	eachEvent(t, all, func(t *testing.T, e signedEvent) {
		v, r := e.verifier(t, e.secret), e.copied()
		for name, value := range forged {
			r.Header.Set(name, value)
		}
		if _, err := v.Verify(r, e.sent); err != nil {
			t.Errorf("with forged headers: %v", err)
		}
		if strings.Contains(e.name, "prismic") {
			r.Body = []byte(`{}`)
		}
		for _, name := range e.proof {
			r.Header.Del(name)
		}
		refuses(t, v, e, "forged headers in the place of a signature", r)
	})
}

func TestVerify_H34_whatIsHandedOnHoldsNoSecret(t *testing.T) {
	for _, e := range signedEvents(t) {
		t.Run(e.name, func(t *testing.T) {
			v, err := e.verifier(t, e.secret).Verify(e.copied(), e.sent)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := json.Marshal(json.RawMessage(v.Body)); err != nil {
				t.Errorf("the body %.80q is no JSON: %v", v.Body, err)
			}
			for _, secret := range []string{e.secret.Reveal(), base64Of([]byte(e.secret))} {
				if strings.Contains(string(v.Body), secret) {
					t.Error("the body holds the secret")
				}
				for name := range v.Header {
					if strings.Contains(v.Header.Get(name), secret) {
						t.Errorf("%s holds the secret", name)
					}
				}
			}
		})
	}
}
