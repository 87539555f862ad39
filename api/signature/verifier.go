package signature

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"rebake/storage"
)

// maxSecrets is how many secrets may be in use at once.
const maxSecrets = 16

// ErrRefused is all that a sender may hear: the signature does not hold. What
// wraps it tells the log why, and holds nothing secret.
var ErrRefused = errors.New("signature refused")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// Request is what a sender sent, as it came.
type Request struct {
	Method string
	// URL is the one of the request line: some senders sign path and query.
	URL    *url.URL
	Header http.Header
	// Body is the whole body, which is not changed here.
	Body []byte
}

// Event is what a signature vouches for.
type Event struct {
	// ID is the sender's name for the event; "" when it has none.
	ID string
	// Sent is the signed timestamp; zero when there is none.
	Sent time.Time
	// Key is the same only for the same delivery sent again: of one id, or of
	// one millisecond, and with one signature. It is "" when the sender tells
	// neither: two events may then have one body, and neither may be taken for
	// the other.
	Key string
	// Header is the request's, without headers that hold a secret.
	Header http.Header
	// Body is the request's, to be used in its place: taken out of the form when
	// it was sent as one, and without the field that holds a secret.
	Body []byte
}

// Verifier checks the signatures of one sender. Safe for concurrent use.
type Verifier struct {
	checks []*check // one a scheme
}

// New returns a verifier that takes what any of the schemes takes with any of
// the secrets, so that they can be rotated. Its errors are the config's: they
// name what to change, and hold no secret.
func New(schemes []Scheme, secrets ...storage.Secret) (*Verifier, error) {
	var errs []error
	if len(schemes) == 0 {
		errs = append(errs, errors.New("header: required, it holds the signature"))
	}
	if n := len(secrets); n == 0 || n > maxSecrets {
		errs = append(errs, fmt.Errorf("secret: there are %d; name 1 to %d", n, maxSecrets))
	}
	v := &Verifier{}
	usable := make([]bool, len(secrets))
	why := make([]error, len(secrets)) // it cannot be used
	for _, s := range schemes {
		s = s.withDefaults()
		if err := s.validate(); err != nil && !slices.ContainsFunc(errs, func(e error) bool { return e.Error() == err.Error() }) {
			errs = append(errs, err)
		}
		c := &check{scheme: s}
		for i, secret := range secrets {
			key, err := s.key(secret)
			if err != nil {
				why[i] = err
				continue
			}
			usable[i] = true
			c.keys = append(c.keys, key)
		}
		// A sender may have kinds of secrets: one to sign with, one to send.
		if len(c.keys) > 0 {
			v.checks = append(v.checks, c)
		}
	}
	for i, err := range why {
		if err != nil && !usable[i] {
			errs = append(errs, fmt.Errorf("secret[%d]: %w", i, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return v, nil
}

// Verify checks what came with a request against all of it. Its errors are
// ErrRefused.
func (v *Verifier) Verify(r Request, now time.Time) (Event, error) {
	var because error
	for _, c := range v.checks {
		e, err := c.verify(r, now)
		if err == nil {
			e.Header, e.Body = v.public(r.Header), c.body(r)
			return e, nil
		}
		// What was sent, and does not hold, says more than what was not sent.
		if because == nil || c.concerns(r) {
			because = err
		}
	}
	return Event{}, because
}

// public returns headers without those that hold a secret.
func (v *Verifier) public(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Webhook-Secret", "X-Revalidation-Secret", "X-Rebake-Secret", "X-Gitlab-Token"} {
		h.Del(name)
	}
	for _, c := range v.checks {
		if c.scheme.Algorithm == Token {
			h.Del(c.scheme.Header)
		}
	}
	return h
}
