package signature

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"rebake/storage"
)

// Scheme says how a sender signs: which header holds the signature, what is
// signed, and with what. The zero value is none; Preset has those of senders
// that are known.
type Scheme struct {
	// Header holds the signature, with other parts beside it if there is a
	// Separator: "X-Hub-Signature-256".
	Header string
	// Field is the field of a JSON body that holds the secret itself, for those
	// who send it there. Only with Token, and in the place of Header.
	Field string
	// Separator stands between the parts of Header: "," or ";" or " "; "" when
	// it is one part.
	Separator string
	// Prefix marks those parts that are signatures, and is not part of them:
	// "sha256=", "v1,". With "" every part is one that is no timestamp. That of
	// a token is one word in any case, as "Bearer ".
	Prefix string
	// Algorithm is that of the HMAC, or Token.
	Algorithm Algorithm
	// Encoding is that of the signature. That of a token is "", or Base64 where
	// the sender encodes it, as HTTP's basic authentication does.
	Encoding Encoding
	// Signed is what is signed: "{body}", with "{t}" for the timestamp and
	// "{id}" for the id as they were sent: "{id}.{t}.{body}". Default "{body}".
	Signed string
	// Timestamp says where the time of sending stands; the zero value: nowhere.
	Timestamp Timestamp
	// ID is the header that names the event; "" for none. One that is signed has
	// to be there; another may be missing.
	ID string
	// Payload is the field of a form that holds the JSON body, for senders that
	// can send it so; "" for none.
	Payload string
	// Key says how a secret's text makes the key.
	Key Key
	// LeastSecret is the least length of a key in bytes. Default 8; a
	// specification may ask for more.
	LeastSecret int
	// Tolerance is how far the timestamp may lie from now, both ways. Default
	// 5m; negative: any time is taken.
	Tolerance time.Duration

	// form is set for senders whose signed text is no template.
	form form
}

// form is how a signed text is made that Signed cannot describe.
type form string

const (
	contentful form = "contentful" // method, path, the headers named in one, body
	hygraph    form = "hygraph"    // a JSON document with the body in it
)

// Timestamp says where a sender puts the time of sending.
type Timestamp struct {
	// Header holds it alone. Not together with Prefix.
	Header string
	// Prefix marks it among the parts of Scheme.Header: "t=".
	Prefix string
	// Unit is what it counts since 1970: time.Second, which is the default, or
	// time.Millisecond.
	Unit time.Duration
}

func (t Timestamp) isZero() bool { return t.Header == "" && t.Prefix == "" }

// Algorithm is a hash function, or none.
type Algorithm string

// The algorithms. Token is no signature: the header holds the secret itself.
const (
	SHA1   Algorithm = "sha1"
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
	Token  Algorithm = "token"
)

// Encoding is how a signature's bytes are written.
type Encoding string

// The encodings. Hex is taken in both cases, base64 with its padding, and
// base64url without.
const (
	Hex       Encoding = "hex"
	Base64    Encoding = "base64"
	Base64URL Encoding = "base64url"
)

// decode returns the bytes of a signature. What is not written in the one form
// of the encoding is none.
func (e Encoding) decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which base64 would pass over
		return nil, errors.New("holds a line break")
	}
	switch e {
	case Hex:
		return hex.DecodeString(s)
	case Base64:
		return base64.StdEncoding.Strict().DecodeString(s)
	case Base64URL:
		return base64.RawURLEncoding.Strict().DecodeString(s)
	}
	return nil, fmt.Errorf("unknown encoding %q", e)
}

// Key is how a secret's text makes the key of the HMAC.
type Key string

// The keys: the text's own bytes, or as Standard Webhooks has it: base64, with
// "whsec_" before it or not.
const (
	Raw   Key = ""
	Whsec Key = "whsec"
)

func (k Key) bytes(s storage.Secret) ([]byte, error) {
	switch k {
	case Raw:
		return []byte(s.Reveal()), nil
	case Whsec:
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Reveal(), "whsec_"))
		if err != nil { // says where in the secret, which is of no use
			return nil, errors.New("is not base64, with whsec_ before it or not")
		}
		return key, nil
	}
	return nil, fmt.Errorf("cannot be read: unknown kind of key %q", k)
}

// key returns the key that a secret makes, if it is one for this scheme.
func (s Scheme) key(secret storage.Secret) ([]byte, error) {
	key, err := s.Key.bytes(secret)
	if least := max(1, s.LeastSecret); err == nil && len(key) < least {
		err = fmt.Errorf("must have at least %d bytes; make one with: openssl rand -hex 32", least)
	}
	return key, err
}

// vouched says what a signature vouches for.
func (s Scheme) vouched() string {
	if s.form == contentful {
		return "the request (its path and some headers are signed as well)"
	}
	return "the body"
}

const (
	defaultTolerance   = 5 * time.Minute
	defaultLeastSecret = 8
)

// withDefaults fills in what was left out.
func (s Scheme) withDefaults() Scheme {
	if s.Signed == "" && s.form == "" {
		s.Signed = "{body}"
	}
	if s.Timestamp.Unit == 0 {
		s.Timestamp.Unit = time.Second
	}
	if s.LeastSecret == 0 {
		s.LeastSecret = defaultLeastSecret
	}
	if s.Tolerance == 0 {
		s.Tolerance = defaultTolerance
	}
	return s
}

// sharesHeader reports whether one header is named for two things.
func (s Scheme) sharesHeader() bool {
	var names []string
	for _, name := range []string{s.Header, s.Timestamp.Header, s.ID} {
		if name != "" {
			names = append(names, http.CanonicalHeaderKey(name))
		}
	}
	slices.Sort(names)
	return len(slices.Compact(slices.Clone(names))) < len(names)
}

// validate returns all that is wrong with a scheme that has its defaults.
func (s Scheme) validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(s.Header == "" && s.Field == "", "header: required, it holds the signature")
	bad(s.Field != "" && (s.Header != "" || s.Algorithm != Token), "field: holds a token, in the place of a header")
	bad(!slices.Contains([]string{"", ",", ";", " "}, s.Separator), "separator: %q: use a comma, a semicolon or a space", s.Separator)
	bad(s.Separator != "" && strings.Contains(s.Prefix+s.Timestamp.Prefix, s.Separator), "prefix: holds the separator")
	notHeader := func(r rune) bool { return r < ' ' || r > '~' }
	for _, prefix := range []string{s.Prefix, s.Timestamp.Prefix} {
		bad(strings.HasPrefix(prefix, " ") || strings.ContainsFunc(prefix, notHeader), "prefix: %q: begins with a space, or holds what no header can", prefix)
	}
	switch s.Algorithm {
	case Token:
		bad(s.Signed != "{body}" || !s.Timestamp.isZero() || s.form != "", "algorithm: a token signs nothing; leave out signed and timestamp")
		bad(s.Encoding != "" && s.Encoding != Base64, "encoding: %q: a token has none, or base64", s.Encoding)
		bad(s.sharesHeader(), "header: the token and the id need one each")
		return errors.Join(errs...)
	case SHA1, SHA256, SHA512:
	default:
		bad(true, "algorithm: %q: use sha256, sha512, sha1, or token", s.Algorithm)
	}
	_, err := s.Encoding.decode("")
	bad(err != nil, "encoding: %q: use hex, base64 or base64url", s.Encoding)
	bad(s.Timestamp.Header != "" && s.Timestamp.Prefix != "", "timestamp: stands in a header of its own, or among the signatures; not both")
	bad(s.Timestamp.Prefix != "" && s.Separator == "", "separator: required, since the timestamp stands beside the signature")
	bad(s.Timestamp.Prefix != "" && (strings.HasPrefix(s.Prefix, s.Timestamp.Prefix) || strings.HasPrefix(s.Timestamp.Prefix, s.Prefix)),
		"prefix: does not tell a signature from the timestamp")
	bad(s.sharesHeader(), "header: the signature, the timestamp and the id need one each")
	bad(s.Timestamp.Unit != time.Second && s.Timestamp.Unit != time.Millisecond, "timestamp: %s: use a second or a millisecond", s.Timestamp.Unit)
	bad(s.LeastSecret < 0, "secret: the least length is negative")
	if s.form != "" {
		bad(s.Timestamp.isZero(), "timestamp: required, since it is signed")
		return errors.Join(errs...)
	}
	for _, f := range []struct {
		field string
		there bool
	}{{"{t}", !s.Timestamp.isZero()}, {"{id}", s.ID != ""}} {
		signed := strings.Contains(s.Signed, f.field)
		bad(signed && !f.there, "signed: %s stands in it, and nothing says where it is sent", f.field)
		// Else anybody could change it, and a replay would pass for new.
		bad(!signed && f.there && f.field == "{t}", "signed: the timestamp is not part of it, so it proves nothing")
	}
	bad(strings.Count(s.Signed, "{body}") != 1, "signed: must hold {body} once")
	rest := strings.NewReplacer("{body}", "", "{t}", "", "{id}", "").Replace(s.Signed)
	bad(strings.ContainsAny(rest, "{}"), "signed: %q: use {body}, {t} and {id}", s.Signed)
	return errors.Join(errs...)
}
