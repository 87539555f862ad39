package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
)

const jsonType = "Content-Type: application/json"

func TestRevalidate_secretInEveryPlace(t *testing.T) {
	for _, c := range []struct{ name, query, body, header string }{
		{name: "query secret", query: "&secret=" + secret},
		{name: "query token", query: "&token=" + secret},
		{name: "JSON secret", body: `{"secret":"` + secret + `"}`},
		{name: "JSON token", body: `{"token":"` + secret + `"}`},
		{name: "bearer", header: "Authorization: Bearer " + secret},
		{name: "bearer in lower case", header: "authorization: bearer " + secret},
		{name: "x-webhook-secret", header: "x-webhook-secret: " + secret},
		{name: "x-revalidation-secret", header: "x-revalidation-secret: " + secret},
		{name: "x-rebake-secret", header: "x-rebake-secret: " + secret},
		{name: "the older of two, H38", header: "x-rebake-secret: " + older},
		{name: "right in one place, wrong in another", query: "&secret=" + secret, header: "Authorization: Bearer wrong-CANARY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			w := do(t, f.Public(), "POST", "/api/revalidate?path=/a"+c.query, c.body, c.header, jsonType)
			if w.Code != 200 {
				t.Errorf("answer is %d %s, want 200", w.Code, w.Body)
			}
			f.triggered("/a")
		})
	}
}

// wrongSecrets are near the right one.
func wrongSecrets() map[string]string {
	return map[string]string{
		"empty":         "",
		"space":         "%20",
		"prefix":        secret[:len(secret)-1],
		"suffix":        secret[1:],
		"longer":        secret + "x",
		"other case":    strings.ToLower(secret),
		"removed, H38":  "0LDEST-CANARY-0123456789abcdef",
		"admin token":   adminToken,
		"shown secret":  storage.Secret(secret).String(),
		"both together": secret + older,
	}
}

// TestRevalidate_H32_wrongSecret wants one answer for all of them. That it takes
// as long for each is opens' business: hashes of one length, all compared.
func TestRevalidate_H32_wrongSecret(t *testing.T) {
	const want = `{"revalidated":false,"error":"unauthorized","message":"Invalid token"}` + "\n"
	check := func(t *testing.T, method, target, body string, headers ...string) {
		t.Helper()
		f := newFixture(t)
		w := do(t, f.Public(), method, target, body, headers...)
		if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Code != 401 {
			t.Errorf("status %d, want 401; body (-want +got):\n%s", w.Code, diff)
		}
		f.idle()
	}
	check(t, "GET", "/api/revalidate?path=/a", "")
	for name, wrong := range wrongSecrets() {
		t.Run(name, func(t *testing.T) {
			check(t, "GET", "/api/revalidate?path=/a&secret="+wrong, "")
			check(t, "GET", "/api/revalidate?path=/a&token="+wrong, "")
			check(t, "POST", "/api/revalidate?path=/a", `{"secret":"`+wrong+`"}`, jsonType)
			check(t, "POST", "/api/revalidate?path=/a", `{"token":["`+wrong+`"]}`, jsonType)
			check(t, "GET", "/api/revalidate?path=/a", "", "Authorization: Bearer "+wrong)
			check(t, "GET", "/api/revalidate?path=/a", "", "Authorization: "+wrong)
			check(t, "GET", "/api/revalidate?path=/a", "", "Authorization: Basic "+secret)
			for _, header := range secretHeaders {
				check(t, "GET", "/api/revalidate?path=/a", "", header+": "+wrong)
			}
		})
	}
}

func TestRevalidate_H38_rotation(t *testing.T) {
	f := newFixture(t)
	const next = "N3XT-CANARY-0123456789abcdef"
	for _, step := range []struct {
		secrets []storage.Secret
		opens   map[string]bool
	}{
		{[]storage.Secret{secret}, map[string]bool{secret: true, next: false}},
		{[]storage.Secret{next, secret}, map[string]bool{secret: true, next: true}},
		{[]storage.Secret{next}, map[string]bool{secret: false, next: true}},
	} {
		f.SetSecrets(step.secrets)
		for s, opens := range step.opens {
			if w := do(t, f.Public(), "GET", "/api/revalidate?path=/a&secret="+s, ""); opens != (w.Code == 200) {
				t.Errorf("the answer is %d %s, want it to open: %v", w.Code, w.Body, opens)
			}
		}
	}
}

func TestRevalidate_H32_withoutSecretsLetsNobodyIn(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Secrets = []storage.Secret{""} })
	do(t, f.Public(), "GET", "/api/revalidate?path=/a&secret=", "").wants(401, "unauthorized")
	f.idle()
}

func TestRevalidate_H32_hugeSecret(t *testing.T) {
	f := newFixture(t)
	huge := strings.Repeat("CANARY-x", 1<<17)
	do(t, f.Public(), "POST", "/api/revalidate?path=/a", `{"secret":"`+huge[:1<<20-100]+`"}`, jsonType).wants(401, "unauthorized")
	do(t, f.Public(), "POST", "/api/revalidate?path=/a", `{"secret":"`+huge+`"}`, jsonType).wants(413, "too_large")
	f.idle()
}

func TestRevalidate_H32_manySecretsAreGuessing(t *testing.T) {
	f := newFixture(t)
	guesses := strings.Repeat(`"guess-CANARY",`, maxGiven)
	do(t, f.Public(), "POST", "/api/revalidate?path=/a", `{"secret":[`+guesses+`"`+secret+`"]}`, jsonType).wants(401, "unauthorized")
	f.idle()
}

func TestRevalidate_tellsNothingBeforeTheSecret(t *testing.T) {
	for _, c := range []struct{ name, query, body string }{
		{"bad path", "path=/../etc", ""},
		{"reserved path", "path=/api/revalidate", ""},
		{"field of a wrong type", "", `{"secret":"wrong-CANARY","path":5}`},
		{"too many paths", strings.Repeat("path=/a&", 101), ""},
		{"bad wait", "path=/a&wait=soon", ""},
		{"no path", "", ""},
		{"tags only", "tag=a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			do(t, f.Public(), "POST", "/api/revalidate?"+c.query, c.body, jsonType).wants(401, "unauthorized")
		})
	}
}

// forged are headers that proxies and frameworks believe, H40.
var forged = []string{
	"X-Middleware-Subrequest: middleware:middleware:middleware", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1",
	"X-Original-URL: /healthz", "X-Rewrite-URL: /healthz", "X-Http-Method-Override: POST", "X-HTTP-Method: POST",
	"x-prerender-revalidate: 1", "X-Forwarded-Host: evil.example", "X-Forwarded-Prefix: /x", "Cookie: __prerender_bypass=1",
	"Forwarded: for=127.0.0.1;host=evil.example", "Origin: https://evil.example", "X-Remote-User: admin",
}

func TestRevalidate_H40_forgedHeadersOpenNothing(t *testing.T) {
	f := newFixture(t)
	do(t, f.Public(), "GET", "/api/revalidate?path=/a", "", forged...).wants(401, "unauthorized")
	do(t, f.Admin(), "POST", "/v1/triggers", `{"paths":["/a"]}`, append(forged[:len(forged):len(forged)], "Sec-Fetch-Site: same-origin")...).wants(401, "unauthorized")
	f.idle()
}

func TestRevalidate_H40_forgedHeadersChangeNothing(t *testing.T) {
	f := newFixture(t)
	r := newRequest("GET", "/api/revalidate?path=/a&secret="+secret, "", forged...)
	r.Host = "evil.example"
	forgedAnswer := serve(t, f.Public(), r).object()
	plainAnswer := do(t, f.Public(), "GET", "/api/revalidate?path=/a&secret="+secret, "").object()
	delete(forgedAnswer, "now")
	delete(plainAnswer, "now")
	if diff := cmp.Diff(plainAnswer, forgedAnswer); diff != "" {
		t.Errorf("forged headers change the answer (-plain +forged):\n%s", diff)
	}
	all := f.site.all()
	if diff := cmp.Diff(all[1], all[0], cmp.Comparer(func(a, b storage.Path) bool { return a == b })); diff != "" {
		t.Errorf("forged headers change the trigger (-plain +forged):\n%s", diff)
	}
}

func TestRevalidate_H41_methods(t *testing.T) {
	for _, method := range []string{"HEAD", "OPTIONS", "TRACE", "DELETE", "PATCH", "CONNECT", "PURGE", "get", "post"} {
		t.Run(method, func(t *testing.T) {
			f := newFixture(t)
			r := newRequest("GET", "/api/revalidate?path=/a&secret="+secret, "")
			r.Method = method
			w := serve(t, f.Public(), r)
			w.wants(405, "method")
			if got, want := w.Header().Get("Allow"), "GET, POST, PUT"; got != want {
				t.Errorf("Allow is %q, want %q", got, want)
			}
			f.idle()
		})
	}
}

func TestPublic_servesNothingElse(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/", "/api", "/api/revalidate/x", "//api/revalidate", "/api/../api/revalidate", "/healthz", "/v1/triggers", "/v1/explain", "/API/revalidate"} {
		r := newRequest("POST", "/?path=/a&secret="+secret, `{"paths":["/a"]}`, "Authorization: Bearer "+adminToken)
		r.URL.Path = path
		serve(t, f.Public(), r).wants(404, "not_found")
	}
	f.idle()
}

// TestLog_H34_neverHoldsASecret sends secrets, right and wrong, to where senders
// put them by mistake. The fixture looks at the log.
func TestLog_H34_neverHoldsASecret(t *testing.T) {
	const wrong = "wrong-CANARY-0123456789abcdef"
	for _, s := range []string{secret, wrong} {
		f := newFixture(t)
		quoted, _ := json.Marshal(s)
		for _, c := range []struct {
			target, body string
			headers      []string
		}{
			{target: "?secret=" + s},
			{target: "?path=/../x&token=" + s},
			{target: "?path=/a;secret=" + s},
			{target: "?path=%zz&secret=" + s},
			{target: "?path=/a&wait=no&secret=" + s},
			{target: "?path=/a", headers: []string{"Authorization: Bearer " + s}},
			{target: "?path=/a", headers: []string{"Authorization: Basic " + s, "X-Webhook-Secret: " + s}},
			{target: "?path=/a", body: `{"secret":` + string(quoted) + `}`, headers: []string{jsonType}},
			{target: "?path=/a", body: `{"secret":` + string(quoted), headers: []string{jsonType}},
			{target: "?path=/a", body: `{"secret":{"x":` + string(quoted) + `}}`, headers: []string{jsonType}},
			{target: "?path=/a", body: "secret=" + s + "&x=%zz", headers: []string{"Content-Type: application/x-www-form-urlencoded"}},
			{target: "?path=/a", body: s, headers: []string{"Content-Type: text/plain"}},
			{target: "?path=/a", body: s, headers: []string{"Content-Encoding: gzip"}},
			{target: "?path=/a", headers: []string{"Referer: https://cms.example.com/?secret=" + s, "Cookie: s=" + s}},
		} {
			do(t, f.Public(), "POST", "/api/revalidate"+c.target, c.body, c.headers...)
			do(t, f.Public(), http.MethodHead, "/api/revalidate"+c.target, c.body, c.headers...)
			do(t, f.Public(), "POST", "/nothing"+c.target, c.body, c.headers...)
			do(t, f.Admin(), "POST", "/v1/triggers"+c.target, c.body, c.headers...)
			do(t, f.Admin(), "GET", "/v1/explain"+c.target, "", c.headers...)
		}
		f.logs.check(t)
	}
}

func TestLog_H34_hidesASecretInTheWrongPlace(t *testing.T) {
	f := newFixture(t)
	f.revalidate("GET", "path=/a?secret="+secret, "").wants(400, "charset")
	f.revalidate("GET", "path=https://x:"+secret+"@evil.example/", "").wants(400, "not_absolute")
	f.revalidate("GET", "path=/a&wait="+secret, "").wants(400, "bad_wait")
	f.revalidate("GET", "path=/a", "", "User-Agent: curl "+secret)
	f.logs.check(t)
	if reason := f.site.all()[0].Reason; strings.Contains(reason, canary) {
		t.Errorf("the reason %q holds the secret", reason)
	}
}

func TestLog_H50_cannotBeForged(t *testing.T) {
	f := newFixture(t)
	f.revalidate("GET", "path=/a%0a{%22level%22:%22ERROR%22}%1b[31m", "", "User-Agent: x\x1b[31m\u202e").wants(400, "control")
	if s := f.logs.String(); strings.Count(s, "\n") != 1 || strings.ContainsAny(s, "\x1b\u202e") {
		t.Errorf("the log is %q, want one line without control characters", s)
	}
}
