package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// from sends a request to /api/revalidate as a client with this address.
func (f *fixture) from(remote, secret string, headers ...string) response {
	f.t.Helper()
	r := newRequest("GET", "/api/revalidate?path=/a&secret="+secret, "", headers...)
	r.RemoteAddr = remote
	return serve(f.t, f.Public(), r)
}

const wrongSecret = "wrong-CANARY-0123456789abcdef"

// flood sends wrong secrets until one is too many.
func (f *fixture) flood(remote string) {
	f.t.Helper()
	for range failuresAtOnce {
		f.from(remote, wrongSecret).wants(401, "unauthorized")
	}
	f.from(remote, wrongSecret).wants(429, "too_many_attempts")
}

func TestFailures_H47_wrongSecretsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		codes := make(map[int]int)
		for range 1000 { // one second of them
			w := f.from("192.0.2.1:1000", wrongSecret)
			codes[w.Code]++
			if w.Code == 429 && w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			time.Sleep(time.Millisecond)
		}
		if most := failuresAtOnce + failuresPerSecond; codes[401] > most || codes[401]+codes[429] != 1000 {
			t.Errorf("the answers are %v, want at most %d times 401 and 429 otherwise", codes, most)
		}
		time.Sleep(time.Second)
		f.from("192.0.2.1:1000", wrongSecret).wants(401, "unauthorized")
		f.idle()
	})
}

func TestFailures_H47_rightSecretIsNeverLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.flood("127.0.0.1:1000")
		for _, remote := range []string{"192.0.2.2:1000", "127.0.0.1:1001"} { // elsewhere, and through the same proxy
			if w := f.from(remote, secret); w.Code != 200 {
				t.Errorf("from %s the answer is %d %s, want 200", remote, w.Code, w.Body)
			}
		}
	})
}

func TestFailures_H47_wrongTokensOfAdminAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ask := func(token string) response {
			return do(t, f.Admin(), "GET", "/v1/explain?path=/a", "", "Authorization: Bearer "+token)
		}
		for range failuresAtOnce {
			ask(wrongSecret).wants(401, "unauthorized")
		}
		ask(wrongSecret).wants(429, "too_many_attempts")
		if w := ask(adminToken); w.Code != 200 {
			t.Errorf("with the token the answer is %d %s, want 200", w.Code, w.Body)
		}
	})
}

func TestFailures_H47_tableIsBounded(t *testing.T) {
	f := newFixture(t)
	r := newRequest("GET", "/", "")
	for i := range mostSenders + 1000 {
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
		f.failures.tooMany(r, time.Now())
	}
	if n := f.failures.senders.Len(); n != mostSenders {
		t.Errorf("%d senders are remembered, want %d", n, mostSenders)
	}
}

func TestFailures_H47_floodIsNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for range 1000 {
			f.from("192.0.2.1:1000", wrongSecret)
		}
		if n := strings.Count(f.logs.String(), "\n"); n != failuresAtOnce+1 {
			t.Errorf("%d lines are logged, want %d", n, failuresAtOnce+1)
		}
	})
}

func TestFailures_H40_headersMakeNoOtherSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.flood("127.0.0.1:1000")
		for i, header := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP"} {
			f.from("127.0.0.1:1000", wrongSecret, fmt.Sprintf("%s: 192.0.2.%d", header, i)).wants(http.StatusTooManyRequests, "too_many_attempts")
		}
	})
}

func TestSender(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:1000":              "192.0.2.1",
		"[::ffff:192.0.2.1]:1000":     "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:1000": "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:1000": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1000":         "fe80::/64",
		"@":                           "@",
		"not-an-address.example:1000": "not-an-address.example:1000",
	} {
		if got := sender(remote); got != want {
			t.Errorf("the sender of %s is %q, want %q", remote, got, want)
		}
	}
}
