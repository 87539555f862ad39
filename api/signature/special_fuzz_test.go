package signature

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func eventNamed(t testing.TB, name string) signedEvent {
	t.Helper()
	for _, e := range signedEvents(t) {
		if e.name == name {
			return e
		}
	}
	t.Fatalf("there is no event %q", name)
	return signedEvent{}
}

// FuzzContentful changes parts of a request that Contentful has signed, and
// asks that each of them is signed: two requests never have one text.
func FuzzContentful(f *testing.F) {
	const list, topic = "X-Contentful-Signed-Headers", "X-Contentful-Topic"
	e := eventNamed(f, "contentful-publish")
	good := e.request
	v := e.verifier(f, e.secret)
	f.Add(good.Method, good.URL.Path, good.URL.RawQuery, good.Header.Get(list), good.Header.Get(topic), good.Body)
	f.Add("POST", "/a b/é%20\n", "a?b", "x-contentful-topic,,X-Contentful-Topic ,content-type:a;b", "a;b:c\xe9", []byte("{}"))
	f.Add("GET", "", "", strings.Repeat(",", 200), "", []byte{})
	f.Fuzz(func(t *testing.T, method, path, query, names, value string, body []byte) {
		r := e.copied()
		r.Method, r.URL.Path, r.URL.RawQuery, r.Body = method, path, query, body
		r.Header.Set(list, names)
		r.Header.Set(topic, value)
		if _, err := v.Verify(r, e.sent); err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Errorf("error %v, want ErrRefused", err)
			}
			return
		}
		before, _, _ := strings.Cut(query, "?") // Contentful leaves the rest out
		if method != good.Method || path != good.URL.Path || before != good.URL.RawQuery || strings.TrimSpace(value) != good.Header.Get(topic) || !bytes.Equal(body, good.Body) {
			t.Errorf("%q %q %q, topic %q, body %q is taken", method, path, query, value, body)
		}
	})
}

// FuzzHygraph asks that what is signed says exactly what was sent.
func FuzzHygraph(f *testing.F) {
	f.Add("master", []byte(`{"a":"<b>&\u2028 \\ \" é"}`))
	f.Add(`","TimeStamp":1,"x":"`, []byte("\b\t\n\f\r\x00\x1f\x7f\xff\u2028"))
	f.Fuzz(func(t *testing.T, environment string, body []byte) {
		text := bytes.Join(hygraphText(Request{Body: body}, "1795428000123", []string{"sign=x", "env=" + environment}), nil)
		var said struct {
			Body, EnvironmentName string
			TimeStamp             int64
		}
		if err := json.Unmarshal(text, &said); err != nil {
			t.Fatalf("%q is no JSON: %v", text, err)
		}
		if utf8.Valid(body) && said.Body != string(body) || utf8.ValidString(environment) && said.EnvironmentName != environment || said.TimeStamp != 1795428000123 {
			t.Errorf("%q with %q is signed as %q", body, environment, text)
		}
	})
}

// FuzzSecretInBody asks that only a body with the secret is taken, and that
// what is handed on is JSON without it.
func FuzzSecretInBody(f *testing.F) {
	e := eventNamed(f, "prismic-update")
	v := e.verifier(f, e.secret)
	f.Add(e.request.Body)
	for _, body := range []string{
		`{"secret":null}`, `{"Secret":"` + e.secret.Reveal() + `"}`, `[{"secret":"x"}]`, `{"secret":{"secret":"x"}}`, `{"secret":"wrong","secret":"` + e.secret.Reveal() + `"}`, strings.Repeat("[", 20_000), `null`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := e.copied()
		r.Body = body
		taken, err := v.Verify(r, e.sent)
		if err != nil {
			if !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), e.secret.Reveal()) {
				t.Errorf("error %v, want ErrRefused without the secret", err)
			}
			return
		}
		var sent, kept map[string]any
		if json.Unmarshal(body, &sent) != nil || sent["secret"] != e.secret.Reveal() {
			t.Errorf("%q is taken", body)
		}
		if err := json.Unmarshal(taken.Body, &kept); err != nil || kept["secret"] != nil || len(kept) != len(sent)-1 {
			t.Errorf("%q is handed on as %q", body, taken.Body)
		}
	})
}

// FuzzPreset puts anything into the headers that prove each sender, and asks
// that no other body than the signed one is taken.
func FuzzPreset(f *testing.F) {
	events := signedEvents(f)
	verifiers := make([]*Verifier, len(events))
	for i, e := range events {
		verifiers[i] = e.verifier(f, e.secret)
		values := make([]string, 3)
		for j, name := range e.proof {
			values[j] = e.request.Header.Get(name)
		}
		f.Add(uint8(i), values[0], values[1], values[2], []byte("{}"))
	}
	f.Fuzz(func(t *testing.T, which uint8, first, second, third string, body []byte) {
		i := int(which) % len(events)
		e, r := events[i], events[i].copied()
		values := []string{first, second, third}
		for j, name := range e.proof {
			r.Header.Set(name, values[j])
		}
		r.Body = body
		taken, err := verifiers[i].Verify(r, e.sent)
		switch {
		case err != nil && !errors.Is(err, ErrRefused):
			t.Errorf("%s: error %v, want ErrRefused", e.name, err)
		case err == nil && hashed(taken, e) && !bytes.Equal(body, e.request.Body):
			t.Errorf("%s: the body %q is taken", e.name, body)
		}
	})
}
