package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"rebake/storage"
)

// secretHeaders are those that existing callers of /api/revalidate send.
var secretHeaders = []string{"X-Webhook-Secret", "X-Revalidation-Secret", "X-Rebake-Secret"}

// headerSecrets returns what a request offers as its secret in headers.
func headerSecrets(r *http.Request) []string {
	var given []string
	if token, ok := bearer(r); ok {
		given = append(given, token)
	}
	for _, name := range secretHeaders {
		if v := r.Header.Get(name); v != "" {
			given = append(given, v)
		}
	}
	return given
}

// maxGiven is how many secrets one request may offer: more than there are
// places for them, and too few to guess with.
const maxGiven = 16

func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// opens reports whether one of the given texts is one of the secrets. The time
// it takes depends on how many there are, and not on what they hold: hashes
// have one length, and every pair is compared.
func opens(secrets []storage.Secret, given []string) bool {
	if len(given) > maxGiven {
		return false
	}
	found := 0
	for _, g := range given {
		hashed := sha256.Sum256([]byte(g))
		for _, s := range secrets {
			if s == "" {
				continue
			}
			want := sha256.Sum256([]byte(s.Reveal()))
			found |= subtle.ConstantTimeCompare(hashed[:], want[:])
		}
	}
	return found == 1
}

// SetSecrets puts other secrets in the place of those that open /api/revalidate,
// from the next request on.
func (a *API) SetSecrets(secrets []storage.Secret) {
	secrets = slices.Clone(secrets)
	a.secrets.Store(&secrets)
}

// scrub takes the site's secrets out of a text that is going to be logged or
// kept: callers put them into the strangest places.
func (a *API) scrub(s string) string {
	for _, secret := range slices.Concat(*a.secrets.Load(), a.cfg.Webhooks.Secrets(), []storage.Secret{a.cfg.AdminToken}) {
		if secret != "" {
			s = strings.ReplaceAll(s, secret.Reveal(), secret.String())
		}
	}
	return s
}

// private lets in whoever has the admin token.
func (a *API) private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := bearer(r)
		if !opens([]storage.Secret{a.cfg.AdminToken}, []string{token}) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			a.unauthorized(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
