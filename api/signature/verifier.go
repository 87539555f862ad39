package signature

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rebake/storage"
)

const (
	// maxParts is how many parts a header may have: enough for every rotation,
	// and too few to guess with.
	maxParts = 16
	// maxSecrets is how many secrets may be in use at once.
	maxSecrets = 16
	// maxID bounds an event's id in bytes.
	maxID = 256
	// maxDigits bounds a timestamp: thirty thousand years in milliseconds.
	maxDigits = 15
)

// ErrRefused is all that a sender may hear: the signature does not hold. What
// wraps it tells the log why, and holds nothing secret.
var ErrRefused = errors.New("signature refused")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// Event is what a signature vouches for, beside the body.
type Event struct {
	// ID is the sender's name for the event; "" when it has none.
	ID string
	// Sent is the signed timestamp; zero when there is none.
	Sent time.Time
	// Key is the same only for the same delivery sent again: of one id, and with
	// one signature. It is "" when the sender names no ids: two events may then
	// have one body, and neither may be taken for the other.
	Key string
}

// Verifier checks the signatures of one sender. Safe for concurrent use.
type Verifier struct {
	scheme Scheme
	keys   [][]byte
}

// New returns a verifier that takes any of the secrets, so that they can be
// rotated. Its errors are the config's: they name what to change, and hold no
// secret.
func New(s Scheme, secrets ...storage.Secret) (*Verifier, error) {
	s = s.withDefaults()
	errs := []error{s.validate()}
	v := &Verifier{scheme: s}
	if n := len(secrets); n == 0 || n > maxSecrets {
		errs = append(errs, fmt.Errorf("secret: there are %d; name 1 to %d", n, maxSecrets))
	}
	for i, secret := range secrets {
		key, err := s.Key.bytes(secret)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("secret[%d]: %w", i, err))
		case len(key) < max(1, s.LeastSecret):
			errs = append(errs, fmt.Errorf("secret[%d]: must have at least %d bytes; make one with: openssl rand -hex 32", i, max(1, s.LeastSecret)))
		default:
			v.keys = append(v.keys, key)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return v, nil
}

// Verify checks what came with a request against its body, as it came. Its
// errors are ErrRefused.
func (v *Verifier) Verify(h http.Header, body []byte, now time.Time) (Event, error) {
	var e Event
	parts, err := v.parts(h)
	if err != nil {
		return e, err
	}
	if v.scheme.ID != "" {
		if e.ID, err = one(h, v.scheme.ID); err != nil {
			return e, err
		}
		if len(e.ID) > maxID {
			return e, refused("%s is longer than %d bytes", v.scheme.ID, maxID)
		}
	}
	stamp, err := v.stamp(h, parts)
	if err != nil {
		return e, err
	}
	if e.Sent, err = v.readStamp(stamp, now); err != nil {
		return e, err
	}
	signature, err := v.match(v.signatures(parts), stamp, e.ID, body)
	if err != nil {
		return e, err
	}
	if e.ID != "" {
		key := sha256.Sum256(append([]byte(e.ID+"\x00"), signature...))
		e.Key = string(key[:])
	}
	return e, nil
}

// parts returns the parts of the signature's header.
func (v *Verifier) parts(h http.Header) ([]string, error) {
	var parts []string
	for _, line := range h.Values(v.scheme.Header) {
		// Counted before it is split: the header is as long as a stranger likes.
		n := 1
		if v.scheme.Separator != "" {
			n += strings.Count(line, v.scheme.Separator)
		}
		if len(parts)+n > maxParts {
			return nil, refused("%s holds more than %d parts", v.scheme.Header, maxParts)
		}
		if v.scheme.Separator == "" {
			parts = append(parts, strings.TrimSpace(line))
			continue
		}
		for part := range strings.SplitSeq(line, v.scheme.Separator) {
			parts = append(parts, strings.TrimSpace(part))
		}
	}
	if len(parts) == 0 {
		return nil, refused("there is no %s", v.scheme.Header)
	}
	return parts, nil
}

// one returns a header that has to be there once: of two, another program on
// the way may have read the other.
func one(h http.Header, name string) (string, error) {
	values := h.Values(name)
	if len(values) != 1 || values[0] == "" {
		return "", refused("%s must be there once", name)
	}
	return values[0], nil
}

// stamp returns the timestamp as it was sent, "" when the scheme has none.
func (v *Verifier) stamp(h http.Header, parts []string) (stamp string, err error) {
	t := v.scheme.Timestamp
	switch {
	case t.Header != "":
		return one(h, t.Header)
	case t.Prefix == "":
		return "", nil
	}
	for _, part := range parts {
		if text, ok := strings.CutPrefix(part, t.Prefix); ok {
			if stamp != "" {
				return "", refused("there are two timestamps")
			}
			stamp = text
		}
	}
	if stamp == "" {
		return "", refused("there is no timestamp")
	}
	return stamp, nil
}

// readStamp reads a timestamp, and refuses one that is too far from now.
func (v *Verifier) readStamp(stamp string, now time.Time) (time.Time, error) {
	if v.scheme.Timestamp.isZero() {
		return time.Time{}, nil
	}
	notDigit := func(r rune) bool { return r < '0' || r > '9' }
	if stamp == "" || len(stamp) > maxDigits || strings.ContainsFunc(stamp, notDigit) {
		return time.Time{}, refused("the timestamp is no number of %ss", unitName(v.scheme.Timestamp.Unit))
	}
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return time.Time{}, refused("the timestamp is no number")
	}
	sent := time.Unix(n, 0)
	if v.scheme.Timestamp.Unit == time.Millisecond {
		sent = time.UnixMilli(n)
	}
	if most := v.scheme.Tolerance; most > 0 && now.Sub(sent).Abs() > most {
		return time.Time{}, refused("the timestamp is more than %s away from now; are both clocks right?", most)
	}
	return sent, nil
}

func unitName(unit time.Duration) string {
	if unit == time.Millisecond {
		return "millisecond"
	}
	return "second"
}

// signatures returns those parts that are signatures, still encoded.
func (v *Verifier) signatures(parts []string) []string {
	var list []string
	for _, part := range parts {
		if t := v.scheme.Timestamp.Prefix; t != "" && strings.HasPrefix(part, t) {
			continue
		}
		if text, ok := strings.CutPrefix(part, v.scheme.Prefix); ok && text != "" {
			list = append(list, text)
		}
	}
	return list
}

// match returns the given signature that one of the keys makes. How long it
// takes depends on how many there are, and not on what they hold.
func (v *Verifier) match(given []string, stamp, id string, body []byte) ([]byte, error) {
	if len(given) == 0 {
		return nil, refused("%s holds no signature%s", v.scheme.Header, v.wanted())
	}
	if v.scheme.Algorithm == Token {
		return v.matchToken(given)
	}
	var decoded [][]byte
	for _, text := range given {
		if b, err := v.scheme.Encoding.decode(text); err == nil {
			decoded = append(decoded, b)
		}
	}
	if len(decoded) == 0 {
		return nil, refused("%s holds no %s", v.scheme.Header, v.scheme.Encoding)
	}
	var found []byte
	for _, key := range v.keys {
		want := v.sign(key, stamp, id, body)
		for _, got := range decoded {
			if hmac.Equal(want, got) {
				found = want
			}
		}
	}
	if found == nil {
		return nil, refused("no secret makes it: another secret, or the body was changed on its way")
	}
	return found, nil
}

func (v *Verifier) wanted() string {
	if v.scheme.Prefix == "" {
		return ""
	}
	return " that begins with " + v.scheme.Prefix
}

// matchToken compares hashes, since they have one length. What it returns is
// one, too: the secret itself goes nowhere.
func (v *Verifier) matchToken(given []string) ([]byte, error) {
	var found []byte
	for _, key := range v.keys {
		want := sha256.Sum256(key)
		for _, text := range given {
			got := sha256.Sum256([]byte(text))
			if subtle.ConstantTimeCompare(want[:], got[:]) == 1 {
				found = want[:]
			}
		}
	}
	if found == nil {
		return nil, refused("another secret")
	}
	return found, nil
}

// sign returns the HMAC of what is signed.
func (v *Verifier) sign(key []byte, stamp, id string, body []byte) []byte {
	mac := hmac.New(v.scheme.Algorithm.hash(), key)
	before, after, _ := strings.Cut(v.scheme.Signed, "{body}")
	fields := strings.NewReplacer("{t}", stamp, "{id}", id)
	_, _ = io.WriteString(mac, fields.Replace(before)) // a hash takes everything
	_, _ = mac.Write(body)
	_, _ = io.WriteString(mac, fields.Replace(after))
	return mac.Sum(nil)
}

func (a Algorithm) hash() func() hash.Hash {
	switch a {
	case SHA1: // an HMAC of it still holds, and some senders have no other
		return sha1.New
	case SHA512:
		return sha512.New
	}
	return sha256.New
}
