package signature

import (
	"encoding/base64"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"rebake/storage"
)

func presetNamed(t testing.TB, kind string, o Options, secrets ...storage.Secret) *Verifier {
	t.Helper()
	schemes, err := Preset(kind, o)
	if err != nil {
		t.Fatal(err)
	}
	v, err := New(schemes, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func takes(t *testing.T, v *Verifier, h http.Header, want bool) {
	t.Helper()
	if _, err := v.Verify(posted(h, "{}"), sentAt); want != (err == nil) {
		t.Errorf("%v: %v, want it taken: %v", h, err, want)
	}
}

func TestPreset_refusesOptions(t *testing.T) {
	for want, c := range map[string]struct {
		kind string
		o    Options
	}{
		`kind: "ghots": use one of contentful, `:          {"ghots", Options{}},
		`kind: "": use one of contentful, `:               {"", Options{}},
		"header: github signs":                            {"github", Options{Header: "X-Secret"}},
		"header: wordpress signs":                         {"wordpress", Options{Header: "Authorization"}},
		"body_only: sanity has no such form":              {"sanity", Options{BodyOnly: true}},
		"body_only: generic has no such form, nor header": {"generic", Options{BodyOnly: true}},
	} {
		if _, err := Preset(c.kind, c.o); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(want, ", nor header")) {
			t.Errorf("%s, %+v: error %v, want %q", c.kind, c.o, err, want)
		}
	}
}

// TestPreset_isACopy changes what one caller got.
func TestPreset_isACopy(t *testing.T) {
	for _, kind := range Kinds() {
		mine, err := Preset(kind, Options{Tolerance: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for i := range mine {
			mine[i] = Scheme{}
		}
		before, _ := Preset(kind, Options{})
		for _, s := range before {
			if s.Tolerance != 0 || reflect.DeepEqual(s, Scheme{}) {
				t.Errorf("%s: %+v was changed by another caller", kind, s)
			}
		}
	}
}

func TestPreset_tokens(t *testing.T) {
	secret := "user:a-password-of-theirs"
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(secret))
	v := presetNamed(t, "datocms", Options{}, storage.Secret(secret))
	for value, want := range map[string]bool{
		"Bearer " + secret: true, "bearer  " + secret: true, "BEARER " + secret + " ": true, basic: true, "basic" + basic[5:]: true,
		secret: false, "Bearer": false, "Bearer ": false, "Bearer" + secret: false, "Token " + secret: false, "Basic " + secret: false,
		basic[:len(basic)-1]: false, basic + "=": false, basic + "AAAA": false, "Bearer " + basic[6:]: false, "Bearer " + secret + ",": false,
	} {
		takes(t, v, http.Header{"Authorization": {value}}, want)
	}
	takes(t, v, http.Header{"X-Webhook-Secret": {secret}}, true)
	takes(t, v, http.Header{"X-Other": {secret}}, false)
	takes(t, v, http.Header{"Authorization": {"Basic " + secret}, "X-Webhook-Secret": {secret}}, true)
	takes(t, v, http.Header{"X-Webhook-Secret": {secret, secret}}, false)
}

func TestPreset_headerOfTheUsers(t *testing.T) {
	v := presetNamed(t, "contentful", Options{Header: "X-Mine"}, testSecret) // shorter than what Contentful signs with
	takes(t, v, http.Header{"X-Mine": {testSecret}}, true)
	takes(t, v, http.Header{"Authorization": {"Bearer " + testSecret}}, false)
	takes(t, v, http.Header{"X-Webhook-Secret": {testSecret}}, false)
	v = presetNamed(t, "strapi", Options{Header: "authorization"}, testSecret)
	takes(t, v, http.Header{"Authorization": {"Bearer " + testSecret}}, true)
}

// TestPreset_secretsOfTwoKinds is about GitLab: a secret that cannot sign can
// still be sent, and the other way round a secret of no use at all is an error.
func TestPreset_secretsOfTwoKinds(t *testing.T) {
	presetNamed(t, "gitlab", Options{}, "a plain token, not base64")
	presetNamed(t, "gitlab", Options{}, "a plain token, not base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	schemes, err := Preset("gitlab", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(schemes, "a plain token, not base64", "short"); err == nil || !strings.Contains(err.Error(), "secret[1]: must have at least 8 bytes") || strings.Contains(err.Error(), "secret[0]") {
		t.Errorf("error %v, want one about the second secret", err)
	}
}

func TestPreset_leastSecret(t *testing.T) {
	for kind, least := range map[string]int{"contentful": 64, "ghost": 8, "prismic": 8, "wordpress": 8, "strapi": 8} {
		schemes, err := Preset(kind, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(schemes, storage.Secret(strings.Repeat("x", least-1))); err == nil || !strings.Contains(err.Error(), "secret[0]: must have at least") {
			t.Errorf("%s takes a secret of %d bytes: %v", kind, least-1, err)
		}
		if _, err := New(schemes, storage.Secret(strings.Repeat("x", least))); err != nil {
			t.Errorf("%s refuses a secret of %d bytes: %v", kind, least, err)
		}
	}
}

func TestNew_withoutSchemes(t *testing.T) {
	if _, err := New(nil, testSecret); err == nil || !strings.Contains(err.Error(), "header: required") {
		t.Errorf("error %v, want one about the header", err)
	}
}

// TestVerify_saysWhatWasWrong asks that the log hears of what was sent, and not
// of the other ways in which it could have been.
func TestVerify_saysWhatWasWrong(t *testing.T) {
	for want, c := range map[string]struct {
		kind string
		h    http.Header
	}{
		"another secret":              {"strapi", http.Header{"X-Webhook-Secret": {"wrong"}}},
		"X-Kc-Signature":              {"kontent", http.Header{"X-Kc-Signature": {"???"}}},
		"there is no":                 {"strapi", http.Header{}},
		"x-contentful-signed-headers": {"contentful", http.Header{"X-Contentful-Signature": {strings.Repeat("0", 64)}, "X-Contentful-Timestamp": {"1795435200000"}}},
		"its path":                    {"contentful", http.Header{"X-Contentful-Signature": {strings.Repeat("0", 64)}, "X-Contentful-Timestamp": {"1795435200000"}, "X-Contentful-Signed-Headers": {"a,b"}}},
		"a signed header is there 2":  {"contentful", http.Header{"X-Contentful-Signature": {"00"}, "X-Contentful-Timestamp": {"1795435200000"}, "X-Contentful-Signed-Headers": {"a,b"}, "A": {"1", "2"}}},
		"lists more than":             {"contentful", http.Header{"X-Contentful-Signature": {"00"}, "X-Contentful-Timestamp": {"1795435200000"}, "X-Contentful-Signed-Headers": {strings.Repeat("a,", 1000)}}},
		`a text "secret"`:             {"prismic", http.Header{}},
	} {
		v := presetNamed(t, c.kind, Options{}, storage.Secret(strings.Repeat(testSecret, 2)))
		if _, err := v.Verify(posted(c.h, "{}"), sentAt); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) {
			t.Errorf("%s: error %v, want %q", c.kind, err, want)
		}
	}
}

func TestVerify_takesTheBodyOutOfAForm(t *testing.T) {
	e := eventNamed(t, "github-form")
	taken, err := e.verifier(t, e.secret).Verify(e.copied(), e.sent)
	if err != nil || !strings.HasPrefix(string(taken.Body), `{"ref":"refs/heads/main"`) {
		t.Errorf("%v; the body is %q, want the form's payload", err, taken.Body)
	}
}

func TestVerify_WrongTokenIsToldAsOne(t *testing.T) {
	schemes, err := Preset("strapi", Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := New(schemes, "the-secret-of-strapi")
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Method: http.MethodPost, Header: http.Header{"Authorization": {"Bearer another-secret"}}}
	if _, err := v.Verify(r, time.Now()); err == nil || !strings.Contains(err.Error(), "another secret") {
		t.Errorf("Verify = %v, want that the secret is another", err)
	}
}
