package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"rebake/api/signature"
)

// Verify says how a sender proves that it has the secret, where that is not as
// its kind does. Header, Tolerance and BodyOnly are what kinds leave to their
// users; with any of the other keys it is a scheme of its own, and nothing of
// the kind's is left.
type Verify struct {
	// Header holds the signature, or with algorithm token the secret itself.
	Header string `yaml:"header,omitempty"`
	// Tolerance is how far the time of sending may lie from now, both ways; 0 is
	// any. Default 5m.
	Tolerance *time.Duration `yaml:"tolerance,omitempty"`
	// BodyOnly takes what Ghost before July 2024 signs, too.
	BodyOnly bool `yaml:"body_only,omitempty"`

	// Algorithm is sha256, sha512, sha1, or token for a sender that sends the
	// secret itself. Default sha256.
	Algorithm string `yaml:"algorithm,omitempty"`
	// Encoding is hex, base64 or base64url. Default hex.
	Encoding string `yaml:"encoding,omitempty"`
	// Prefix stands before the signature: "sha256=".
	Prefix string `yaml:"prefix,omitempty"`
	// Separator stands between several parts of Header: "," or ";" or " ".
	Separator string `yaml:"separator,omitempty"`
	// Signed is what is signed: "{body}", with {t} for the timestamp and {id}
	// for the id. Default "{body}".
	Signed string `yaml:"signed,omitempty"`
	// Timestamp says where the time of sending stands. Default nowhere.
	Timestamp *Timestamp `yaml:"timestamp,omitempty"`
	// ID is the header that names the event, so that one sent twice is done once.
	ID string `yaml:"id,omitempty"`
	// Key is how the secret makes the key: raw (its own bytes) or whsec (base64,
	// with whsec_ before it or not). Default raw.
	Key string `yaml:"key,omitempty"`
	// Field is the field of a JSON body that holds the secret itself.
	Field string `yaml:"field,omitempty"`
}

// Timestamp says where a sender puts the time of sending.
type Timestamp struct {
	// Header holds it alone.
	Header string `yaml:"header,omitempty"`
	// Prefix marks it among the parts of the signature's header: "t=".
	Prefix string `yaml:"prefix,omitempty"`
	// Unit is s or ms. Default s.
	Unit string `yaml:"unit,omitempty"`
}

// schemes are those of a webhook, of which any will do. Errors are led by the
// key that they are about.
func (c Config) schemes() ([]signature.Scheme, error) {
	var v Verify
	if c.Verify != nil {
		v = *c.Verify
	}
	var tolerance time.Duration
	if v.Tolerance != nil {
		tolerance = cmp.Or(max(*v.Tolerance, 0), -1)
	}
	own := v
	own.Header, own.Tolerance, own.BodyOnly = "", nil, false
	if own == (Verify{}) {
		schemes, err := signature.Preset(c.Kind, signature.Options{Header: v.Header, Tolerance: tolerance, BodyOnly: v.BodyOnly})
		return schemes, keyed("verify", err)
	}
	s := signature.Scheme{
		Header: v.Header, Field: v.Field, Separator: v.Separator, Prefix: v.Prefix, Signed: v.Signed, ID: v.ID, Tolerance: tolerance,
		Algorithm: signature.Algorithm(cmp.Or(v.Algorithm, string(signature.SHA256))), Encoding: signature.Encoding(v.Encoding),
	}
	if v.Field != "" {
		s.Algorithm = signature.Algorithm(cmp.Or(v.Algorithm, string(signature.Token)))
	}
	if s.Algorithm != signature.Token {
		s.Encoding = cmp.Or(s.Encoding, signature.Hex)
	}
	var errs []error
	switch v.Key {
	case "", "raw":
	case "whsec":
		s.Key = signature.Whsec
	default:
		errs = append(errs, fmt.Errorf("verify.key: unknown value %q; known: raw, whsec", v.Key))
	}
	if v.BodyOnly {
		errs = append(errs, errors.New("verify.body_only: is for kind ghost as it is"))
	}
	if t := v.Timestamp; t != nil {
		s.Timestamp = signature.Timestamp{Header: t.Header, Prefix: t.Prefix, Unit: time.Second}
		switch t.Unit {
		case "", "s":
		case "ms":
			s.Timestamp.Unit = time.Millisecond
		default:
			errs = append(errs, fmt.Errorf("verify.timestamp.unit: unknown value %q; known: s, ms", t.Unit))
		}
	}
	return []signature.Scheme{s}, errors.Join(errs...)
}

// verifier returns what checks requests. Errors of the scheme are led by
// verify, those of secrets by secret.
func (c Config) verifier() (*signature.Verifier, error) {
	schemes, err := c.schemes()
	if err != nil {
		return nil, err
	}
	if len(c.Secret) == 0 {
		return nil, errors.New("secret: required; make one with: openssl rand -hex 32")
	}
	v, err := signature.New(schemes, c.Secret...)
	return v, located(err)
}

// located puts the key before errors about a scheme. Those about secrets have
// theirs.
func located(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, located(e))
		}
		return errors.Join(errs...)
	}
	if err == nil || strings.HasPrefix(err.Error(), "secret") {
		return err
	}
	return keyed("verify", err)
}
