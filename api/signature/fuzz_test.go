package signature

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"testing"
	"time"
)

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// FuzzVerify asks that nothing a stranger sends is taken. It knows every good
// signature of one body, and sends others, or the same with another body.
func FuzzVerify(f *testing.F) {
	for _, s := range senders {
		f.Add(s.headers.Get(s.scheme.Header), "1795435200", testID, []byte(s.body+" "))
	}
	f.Add("v1, v1,==, t=", "-1", "", []byte{})
	f.Add("sha256=,,,,,,,,,,,,,,,,,,", "99999999999999999999", "a\x00b", []byte("{}"))
	f.Fuzz(func(t *testing.T, signature, stamp, id string, body []byte) {
		for name, s := range senders {
			h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}}
			h.Set(s.scheme.Header, signature)
			v := mustNew(t, s.scheme, s.secret)
			e, err := v.Verify(Request{Header: h, Body: body}, sentAt)
			if err != nil {
				if !errors.Is(err, ErrRefused) {
					t.Errorf("%s: error %v, want ErrRefused", name, err)
				}
				continue
			}
			if s.scheme.Algorithm != Token && string(body) != s.body {
				t.Errorf("%s: the body %q is taken", name, body)
			}
			if !s.scheme.Timestamp.isZero() && e.Sent.Sub(sentAt).Abs() > 5*time.Minute {
				t.Errorf("%s: sent at %s, and taken at %s", name, e.Sent, sentAt)
			}
		}
	})
}

// FuzzScheme asks that a scheme which New takes verifies what is signed by it,
// and nothing else, whatever the config says.
func FuzzScheme(f *testing.F) {
	for _, s := range senders {
		f.Add(s.scheme.Separator, s.scheme.Prefix, string(s.scheme.Algorithm), string(s.scheme.Encoding), s.scheme.Signed, s.scheme.Timestamp.Prefix, s.scheme.ID)
	}
	f.Fuzz(func(t *testing.T, separator, prefix, algorithm, encoding, text, timePrefix, id string) {
		v, err := New([]Scheme{{
			Header: "X-Signature", Separator: separator, Prefix: prefix, Algorithm: Algorithm(algorithm), Encoding: Encoding(encoding),
			Signed: text, Timestamp: Timestamp{Prefix: timePrefix}, ID: id,
		}}, testSecret)
		if err != nil {
			return
		}
		stamp := "1795435200"
		signature := map[Encoding]func([]byte) string{
			Hex: hex.EncodeToString, Base64: base64Of, Base64URL: base64.RawURLEncoding.EncodeToString,
		}
		sent := testSecret
		switch scheme := v.checks[0].scheme; {
		case scheme.Algorithm != Token:
			sent = signature[scheme.Encoding](signed(v, stamp))
		case scheme.Encoding == Base64:
			sent = base64Of([]byte(testSecret))
		}
		h := http.Header{}
		h.Set("X-Signature", prefix+sent)
		if timePrefix != "" {
			h.Set("X-Signature", prefix+sent+separator+timePrefix+stamp)
		}
		if id != "" {
			h.Set(id, testID)
		}
		if _, err := v.Verify(posted(h, testBody), sentAt); err != nil {
			t.Errorf("%+v refuses its own: %v", v.checks[0].scheme, err)
		}
		if _, err := v.Verify(posted(h, testBody+" "), sentAt); err == nil && v.checks[0].scheme.Algorithm != Token {
			t.Errorf("%+v takes another body", v.checks[0].scheme)
		}
	})
}
