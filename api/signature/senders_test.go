package signature

import (
	"net/http"
	"testing"
	"time"

	"rebake/storage"
)

const (
	testSecret = "a-secret-of-the-senders-0123456789"
	testBody   = `{"event":"entry.publish", "title":"caf\u00e9"}`
	testID     = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
)

// sentAt is the time of every signature here.
var sentAt = time.Unix(1795435200, 0)

// senders are schemes of real senders, and what openssl makes of testBody by
// each, so that no signature is judged by the code that made it. For example:
//
//	printf '%s%s' "$body" 1795435200000 | openssl dgst -sha256 -hmac "$secret"
//
// The first is the example in GitHub's own documentation.
var senders = map[string]struct {
	scheme  Scheme
	secret  storage.Secret
	body    string
	headers http.Header
}{
	"documented": {
		Scheme{Header: "X-Hub-Signature-256", Prefix: "sha256=", Algorithm: SHA256, Encoding: Hex},
		"It's a Secret to Everybody", "Hello, World!",
		http.Header{"X-Hub-Signature-256": {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}},
	},
	"body, then time in ms, in one header": {
		Scheme{
			Header: "X-Ghost-Signature", Separator: ",", Prefix: "sha256=", Algorithm: SHA256, Encoding: Hex,
			Signed: "{body}{t}", Timestamp: Timestamp{Prefix: "t=", Unit: time.Millisecond},
		},
		testSecret, testBody,
		http.Header{"X-Ghost-Signature": {"sha256=8117894c51bcfc158d6d5fd571d4db2df6829caef404f25a734cbb4cff2a86c2, t=1795435200000"}},
	},
	"time in ms, then body, base64url": {
		Scheme{
			Header: "sanity-webhook-signature", Separator: ",", Prefix: "v1=", Algorithm: SHA256, Encoding: Base64URL,
			Signed: "{t}.{body}", Timestamp: Timestamp{Prefix: "t=", Unit: time.Millisecond},
		},
		testSecret, testBody,
		http.Header{"Sanity-Webhook-Signature": {"t=1795435200000,v1=DI45V9d7UTaLJusI4LkQsZRkAZO6tF3Q3phB4YJpHi0"}},
	},
	"sha1": {
		Scheme{Header: "webhook-signature", Algorithm: SHA1, Encoding: Hex}, testSecret, testBody,
		http.Header{"Webhook-Signature": {"b05c40f90d0ebeb4036fa2631fb82f9ab50c677e"}},
	},
	"base64": {
		Scheme{Header: "X-Kontent-ai-Signature", Algorithm: SHA256, Encoding: Base64}, testSecret, testBody,
		http.Header{"X-Kontent-Ai-Signature": {"zB8azdRwxPJLqhwufA2Y3uP+78nw6EutYJlfVRhn6G4="}},
	},
	"sha512 in upper case": {
		Scheme{Header: "X-Signature", Algorithm: SHA512, Encoding: Hex}, testSecret, testBody,
		http.Header{"X-Signature": {"2D519F795B7B7C4B61F895228F88E755FAB5437F59622B9111F157CA57D96C95AA469445998803EFB12D6A5A9EE85956B0F572C7D77CA9C61B272D20B87512E9"}},
	},
	"Standard Webhooks": {
		standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", testBody,
		standardHeaders("v1,MmmgJjh1PlLQa7ca+eQMx+xLHfPla4qa9KN0FJtpHZM="),
	},
	"the secret itself": {
		Scheme{Header: "Authorization", Prefix: "Bearer ", Algorithm: Token}, testSecret, testBody,
		http.Header{"Authorization": {"Bearer " + testSecret}},
	},
}

var standard = Scheme{
	Header: "webhook-signature", Separator: " ", Prefix: "v1,", Algorithm: SHA256, Encoding: Base64,
	Signed: "{id}.{t}.{body}", Timestamp: Timestamp{Header: "webhook-timestamp"}, ID: "webhook-id", Key: Whsec, LeastSecret: 24,
}

func standardHeaders(signature string) http.Header {
	return http.Header{"Webhook-Id": {testID}, "Webhook-Timestamp": {"1795435200"}, "Webhook-Signature": {signature}}
}

func TestVerify_takesWhatSendersSign(t *testing.T) {
	for name, s := range senders {
		t.Run(name, func(t *testing.T) {
			e, err := mustNew(t, s.scheme, s.secret).Verify(posted(s.headers, s.body), sentAt)
			if err != nil {
				t.Fatal(err)
			}
			if signed := !s.scheme.Timestamp.isZero(); signed != e.Sent.Equal(sentAt) {
				t.Errorf("it was sent at %s, want %s", e.Sent, sentAt)
			}
			if want := s.headers.Get("Webhook-Id"); e.ID != want {
				t.Errorf("its id is %q, want %q", e.ID, want)
			}
		})
	}
}

// TestVerify_H35_bodyThatWasChanged changes each byte in turn, and writes the
// JSON anew with the same meaning.
func TestVerify_H35_bodyThatWasChanged(t *testing.T) {
	for name, s := range senders {
		if s.scheme.Algorithm == Token {
			continue // which vouches for no body
		}
		t.Run(name, func(t *testing.T) {
			v := mustNew(t, s.scheme, s.secret)
			for i := range s.body {
				changed := []byte(s.body)
				changed[i] ^= 1
				wantRefused(t, v, s.headers, string(changed), sentAt)
			}
			for _, changed := range []string{
				"", s.body + "\n", s.body[1:], s.body + s.body,
				`{"event":"entry.publish","title":"caf\u00e9"}`, `{"title":"caf\u00e9", "event":"entry.publish"}`, `{"event":"entry.publish", "title":"café"}`,
			} {
				wantRefused(t, v, s.headers, changed, sentAt)
			}
		})
	}
}

func TestVerify_anotherSecret(t *testing.T) {
	for name, s := range senders {
		t.Run(name, func(t *testing.T) {
			other := storage.Secret("another-secret-0123456789")
			if s.scheme.Key == Whsec {
				other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"
			}
			wantRefused(t, mustNew(t, s.scheme, other), s.headers, s.body, sentAt)
		})
	}
}
