package signature

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rebake/storage"
)

func mustNew(t testing.TB, s Scheme, secrets ...storage.Secret) *Verifier {
	t.Helper()
	v, err := New([]Scheme{s}, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func wantRefused(t *testing.T, v *Verifier, h http.Header, body string, now time.Time) {
	t.Helper()
	if _, err := v.Verify(posted(h, body), now); !errors.Is(err, ErrRefused) {
		t.Errorf("%.60q with %.200s: %v, want it refused", body, fmt.Sprint(h), err)
	}
}

// posted is a request as senders make it.
func posted(h http.Header, body string) Request {
	return Request{Method: http.MethodPost, URL: &url.URL{Path: "/_rebake/webhooks/cms"}, Header: h, Body: []byte(body)}
}

// signed is the signature of testBody by v's first scheme and secret.
func signed(v *Verifier, stamp string) []byte {
	c := v.checks[0]
	text, _ := c.text(posted(nil, testBody), stamp, testID, nil)
	return c.sign(c.keys[0], text)
}

// signedAt signs testBody for Standard Webhooks with a timestamp as it stands.
func signedAt(v *Verifier, stamp string) http.Header {
	h := standardHeaders("v1," + base64Of(signed(v, stamp)))
	h.Set("Webhook-Timestamp", stamp)
	return h
}

func TestVerify_H36_timestamps(t *testing.T) {
	v := mustNew(t, standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	for stamp, taken := range map[string]bool{
		after(-301): false, after(-300): true, after(-299): true, after(0): true, after(299): true, after(300): true, after(301): false,
		"": false, "NaN": false, "-1": false, "-1795435200": false, "+1795435200": false, "1795435200.0": false, "1.8e9": false, "0x6b0388c0": false,
		" 1795435200": false, "1_795_435_200": false, "１７９５４３５２００": false, "1795435200000": false, "0": false,
		"9223372036854775807": false, "9223372036854775808": false, "18446744075505": false, "999999999999999": false, strings.Repeat("9", 1<<20): false,
	} {
		_, err := v.Verify(posted(signedAt(v, stamp), testBody), sentAt)
		if taken != (err == nil) || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("the timestamp %.40q: %v, want it taken: %v", stamp, err, taken)
		}
	}
}

// after is the timestamp so many seconds after sentAt.
func after(seconds int64) string { return strconv.FormatInt(sentAt.Unix()+seconds, 10) }

func TestVerify_H36_timestampThatIsMissingOrTwice(t *testing.T) {
	v := mustNew(t, standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	h := signedAt(v, after(0))
	for _, stamps := range [][]string{nil, {after(0), after(0)}, {after(0), after(1)}} {
		h["Webhook-Timestamp"] = stamps
		wantRefused(t, v, h, testBody, sentAt)
	}
	ghost := senders["body, then time in ms, in one header"]
	v = mustNew(t, ghost.scheme, ghost.secret)
	alone, stamp, _ := strings.Cut(ghost.headers.Get("X-Ghost-Signature"), ", ")
	for _, header := range []string{alone, alone + ", " + stamp + ", " + stamp, alone + ", t=", alone + ", T=1795435200000"} {
		wantRefused(t, v, http.Header{"X-Ghost-Signature": {header}}, testBody, sentAt)
	}
}

func TestVerify_toleranceOfTheScheme(t *testing.T) {
	for tolerance, taken := range map[time.Duration]bool{time.Second: false, time.Hour: true, -1: true} {
		s := standard
		s.Tolerance = tolerance
		v := mustNew(t, s, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
		if _, err := v.Verify(posted(signedAt(v, after(-1000)), testBody), sentAt); taken != (err == nil) {
			t.Errorf("tolerance %s: %v, want it taken: %v", tolerance, err, taken)
		}
	}
}

func TestVerify_H38_rotation(t *testing.T) {
	s := senders["base64"]
	old, next := s.secret, storage.Secret("the-next-secret-0123456789")
	for _, c := range []struct {
		name    string
		secrets []storage.Secret
		taken   bool
	}{
		{"before", []storage.Secret{old}, true},
		{"both, the old one first", []storage.Secret{old, next}, true},
		{"both, the new one first", []storage.Secret{next, old}, true},
		{"after", []storage.Secret{next}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := mustNew(t, s.scheme, c.secrets...).Verify(posted(s.headers, s.body), sentAt); c.taken != (err == nil) {
				t.Errorf("%v, want it taken: %v", err, c.taken)
			}
		})
	}
}

func TestVerify_H39_severalSignatures(t *testing.T) {
	s := senders["Standard Webhooks"]
	v := mustNew(t, s.scheme, s.secret)
	good, bad := s.headers.Get("Webhook-Signature"), "v1,"+base64Of(make([]byte, 32))
	list := func(n int, last string) string {
		return strings.Join(append(slices.Repeat([]string{bad}, n-1), last), " ")
	}
	for name, c := range map[string]struct {
		lines []string
		taken bool
	}{
		"bad, then good":             {[]string{bad + " " + good}, true},
		"good, then bad":             {[]string{good + " " + bad}, true},
		"of another version":         {[]string{"v1a,xyz " + good}, true},
		"no base64, then good":       {[]string{"v1,??? " + good}, true},
		"two lines":                  {[]string{bad, good}, true},
		"16":                         {[]string{list(16, good)}, true},
		"17":                         {[]string{list(17, good)}, false},
		"17 on two lines":            {[]string{list(16, bad), good}, false},
		"10,000":                     {[]string{list(10_000, good)}, false},
		"10,000, the good one first": {[]string{good + " " + list(10_000, bad)}, false},
		"1 MiB of spaces":            {[]string{good + strings.Repeat(" ", 1<<20)}, false},
		"none":                       {nil, false},
		"empty":                      {[]string{""}, false},
		"prefix alone":               {[]string{"v1,"}, false},
		"without its prefix":         {[]string{good[3:]}, false},
		"part of it":                 {[]string{good[:20]}, false},
		"of no bytes":                {[]string{"v1,===="}, false},
		"other padding":              {[]string{strings.TrimSuffix(good, "=")}, false},
		"line breaks within":         {[]string{good[:20] + "\n" + good[20:]}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := s.headers.Clone()
			h["Webhook-Signature"] = c.lines
			if _, err := v.Verify(posted(h, s.body), sentAt); c.taken != (err == nil) || err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("%v, want it taken: %v", err, c.taken)
			}
		})
	}
}

// TestVerify_H39_manySignaturesAreNotRead tells by what is allocated that the
// list is not even split.
func TestVerify_H39_manySignaturesAreNotRead(t *testing.T) {
	v := mustNew(t, standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	h, body := standardHeaders(strings.Repeat("v1,xyz ", 10_000)), []byte(testBody)
	if n := testing.AllocsPerRun(10, func() { _, _ = v.Verify(Request{Header: h, Body: body}, sentAt) }); n > 10 {
		t.Errorf("%.0f allocations, want a few", n)
	}
}

func TestVerify_idIsSigned(t *testing.T) {
	s := senders["Standard Webhooks"]
	v := mustNew(t, s.scheme, s.secret)
	for _, ids := range [][]string{nil, {""}, {testID + "x"}, {testID, testID}, {strings.Repeat("x", 257)}} {
		h := s.headers.Clone()
		h["Webhook-Id"] = ids
		wantRefused(t, v, h, s.body, sentAt)
	}
}

func TestVerify_errorsTellNoSecret(t *testing.T) {
	s := senders["the secret itself"]
	_, err := mustNew(t, s.scheme, "another-CANARY-secret").Verify(posted(http.Header{"Authorization": {"Bearer nearly-CANARY"}}, ""), sentAt)
	if err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("error %v, want one without a secret", err)
	}
}

func TestNew_refusesShortSecrets(t *testing.T) {
	raw, whsec := Scheme{Header: "X-Signature", Algorithm: SHA256, Encoding: Hex}, standard
	for _, c := range []struct {
		name    string
		scheme  Scheme
		secrets []storage.Secret
		want    string
	}{
		{"none", raw, nil, "secret: there are 0"},
		{"empty", raw, []storage.Secret{""}, "secret[0]: must have at least 8 bytes"},
		{"short", raw, []storage.Secret{"1234567"}, "secret[0]: must have at least 8 bytes"},
		{"the second is short", raw, []storage.Secret{testSecret, "CANARY"}, "secret[1]: must have at least 8 bytes"},
		{"short for a specification", whsec, []storage.Secret{"whsec_Q0FOQVJZ"}, "secret[0]: must have at least 24 bytes"},
		{"only its prefix", whsec, []storage.Secret{"whsec_"}, "secret[0]: must have at least 24 bytes"},
		{"no base64", whsec, []storage.Secret{"whsec_CANARY?"}, "secret[0]: is not base64"},
		{"too many", raw, slices.Repeat([]storage.Secret{testSecret}, 17), "secret: there are 17"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New([]Scheme{c.scheme}, c.secrets...); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("error %v, want %q and no secret", err, c.want)
			}
		})
	}
}

func TestNew_refusesSchemes(t *testing.T) {
	for want, change := range map[string]func(*Scheme){
		"header: required":             func(s *Scheme) { s.Header = "" },
		`algorithm: "md5"`:             func(s *Scheme) { s.Algorithm = "md5" },
		`encoding: "rot13"`:            func(s *Scheme) { s.Encoding = "rot13" },
		"not both":                     func(s *Scheme) { s.Timestamp.Prefix = "t=" },
		`separator: "|"`:               func(s *Scheme) { s.Separator = "|" },
		"holds the separator":          func(s *Scheme) { s.Prefix = "v1 " },
		"begins with a space":          func(s *Scheme) { s.Prefix = " v1" },
		"signature from the timestamp": func(s *Scheme) { s.Prefix, s.Timestamp = "", Timestamp{Prefix: "t="} },
		"need one each":                func(s *Scheme) { s.ID = "Webhook-Timestamp" },
		"separator: required":          func(s *Scheme) { s.Separator, s.Timestamp = "", Timestamp{Prefix: "t="} },
		"timestamp: 1m0s":              func(s *Scheme) { s.Timestamp.Unit = time.Minute },
		"{t} stands in it":             func(s *Scheme) { s.Timestamp = Timestamp{} },
		"{id} stands in it":            func(s *Scheme) { s.ID = "" },
		"it proves nothing":            func(s *Scheme) { s.Signed = "{body}" },
		"must hold {body} once":        func(s *Scheme) { s.Signed = "{t}.{body}{body}" },
		"use {body}, {t} and {id}":     func(s *Scheme) { s.Signed = "{t}.{body}.{path}" },
		"a token signs nothing":        func(s *Scheme) { s.Algorithm = Token },
		"is negative":                  func(s *Scheme) { s.LeastSecret = -1 },
		`unknown kind of key "x"`:      func(s *Scheme) { s.Key = "x" },
	} {
		t.Run(want, func(t *testing.T) {
			s := standard
			change(&s)
			if _, err := New([]Scheme{s}, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}
