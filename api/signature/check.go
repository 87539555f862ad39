package signature

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxParts is how many parts a header may have: enough for every rotation,
	// and too few to guess with.
	maxParts = 16
	// maxID bounds an event's id in bytes.
	maxID = 256
	// maxDigits bounds a timestamp: thirty thousand years in milliseconds.
	maxDigits = 15
)

// check is one scheme, with the keys of its secrets.
type check struct {
	scheme Scheme
	keys   [][]byte // at least one
}

// concerns reports whether a request holds what the scheme would look at: of
// two schemes for one header, the one whose prefix is there.
func (c *check) concerns(r Request) bool {
	return c.scheme.Field != "" || slices.ContainsFunc(r.Header.Values(c.scheme.Header), func(v string) bool { return strings.Contains(strings.ToLower(v), strings.ToLower(c.scheme.Prefix)) })
}

func (c *check) verify(r Request, now time.Time) (Event, error) {
	var e Event
	parts, err := c.parts(r)
	if err != nil {
		return e, err
	}
	if e.ID, err = c.id(r.Header); err != nil {
		return e, err
	}
	stamp, err := c.stamp(r.Header, parts)
	if err != nil {
		return e, err
	}
	if e.Sent, err = c.readStamp(stamp, now); err != nil {
		return e, err
	}
	given := c.signatures(parts)
	if len(given) == 0 {
		return e, refused("%s holds no signature%s", c.scheme.Header, c.wanted())
	}
	var found []byte
	if c.scheme.Algorithm == Token {
		found, err = c.matchToken(given, r.Body)
	} else {
		var text [][]byte
		if text, err = c.text(r, stamp, e.ID, parts); err == nil {
			found, err = c.match(given, text)
		}
	}
	if err != nil {
		return e, err
	}
	// Of one millisecond there are no two events with one body.
	if e.ID != "" || !e.Sent.IsZero() && c.scheme.Timestamp.Unit == time.Millisecond {
		key := sha256.Sum256(append([]byte(e.ID+"\x00"), found...))
		e.Key = string(key[:])
	}
	return e, nil
}

// id returns the event's id, "" when there is none and there need not be one.
func (c *check) id(h http.Header) (string, error) {
	name := c.scheme.ID
	if name == "" || !strings.Contains(c.scheme.Signed, "{id}") && len(h.Values(name)) == 0 {
		return "", nil
	}
	id, err := one(h, name)
	if err == nil && len(id) > maxID {
		return "", refused("%s is longer than %d bytes", name, maxID)
	}
	return id, err
}

// parts returns the parts of the signature's header.
func (c *check) parts(r Request) ([]string, error) {
	if c.scheme.Field != "" {
		return field(r.Body, c.scheme.Field)
	}
	var parts []string
	for _, line := range r.Header.Values(c.scheme.Header) {
		// Counted before it is split: the header is as long as a stranger likes.
		n := 1
		if c.scheme.Separator != "" {
			n += strings.Count(line, c.scheme.Separator)
		}
		if len(parts)+n > maxParts {
			return nil, refused("%s holds more than %d parts", c.scheme.Header, maxParts)
		}
		if c.scheme.Separator == "" {
			parts = append(parts, strings.TrimSpace(line))
			continue
		}
		for part := range strings.SplitSeq(line, c.scheme.Separator) {
			parts = append(parts, strings.TrimSpace(part))
		}
	}
	switch {
	case len(parts) == 0:
		return nil, refused("there is no %s", c.scheme.Header)
	case len(parts) > 1 && c.scheme.Separator == "": // see one
		return nil, refused("%s is there %d times", c.scheme.Header, len(parts))
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
func (c *check) stamp(h http.Header, parts []string) (stamp string, err error) {
	t := c.scheme.Timestamp
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
func (c *check) readStamp(stamp string, now time.Time) (time.Time, error) {
	if c.scheme.Timestamp.isZero() {
		return time.Time{}, nil
	}
	notDigit := func(r rune) bool { return r < '0' || r > '9' }
	if stamp == "" || len(stamp) > maxDigits || strings.ContainsFunc(stamp, notDigit) {
		return time.Time{}, refused("the timestamp is no number of %ss", unitName(c.scheme.Timestamp.Unit))
	}
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return time.Time{}, refused("the timestamp is no number")
	}
	sent := time.Unix(n, 0)
	if c.scheme.Timestamp.Unit == time.Millisecond {
		sent = time.UnixMilli(n)
	}
	if most := c.scheme.Tolerance; most > 0 && now.Sub(sent).Abs() > most {
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
func (c *check) signatures(parts []string) []string {
	var list []string
	for _, part := range parts {
		if t := c.scheme.Timestamp.Prefix; t != "" && strings.HasPrefix(part, t) {
			continue
		}
		if text, ok := c.cutPrefix(part); ok && text != "" {
			list = append(list, text)
		}
	}
	return list
}

// match returns the given signature that one of the keys makes of a text. How
// long it takes depends on how many there are, and not on what they hold.
func (c *check) match(given []string, text [][]byte) ([]byte, error) {
	var decoded [][]byte
	for _, g := range given {
		if b, err := c.scheme.Encoding.decode(g); err == nil {
			decoded = append(decoded, b)
		}
	}
	if len(decoded) == 0 {
		return nil, refused("%s holds no %s", c.scheme.Header, c.scheme.Encoding)
	}
	var found []byte
	for _, key := range c.keys {
		want := c.sign(key, text)
		for _, got := range decoded {
			if hmac.Equal(want, got) {
				found = want
			}
		}
	}
	if found == nil {
		return nil, refused("no secret makes it: another secret, or %s was changed on its way", c.scheme.vouched())
	}
	return found, nil
}

func (c *check) cutPrefix(part string) (string, bool) {
	prefix := c.scheme.Prefix
	if c.scheme.Algorithm == Token && len(part) >= len(prefix) && strings.EqualFold(part[:len(prefix)], prefix) {
		return strings.TrimSpace(part[len(prefix):]), true
	}
	return strings.CutPrefix(part, prefix)
}

func (c *check) wanted() string {
	if c.scheme.Prefix == "" {
		return ""
	}
	return " that begins with " + c.scheme.Prefix
}

// sign returns the HMAC of a text, which comes in pieces.
func (c *check) sign(key []byte, text [][]byte) []byte {
	mac := hmac.New(c.scheme.Algorithm.hash(), key)
	for _, piece := range text {
		_, _ = mac.Write(piece) // a hash takes everything
	}
	return mac.Sum(nil)
}

// text returns what is signed, in pieces, so that the body is not copied.
func (c *check) text(r Request, stamp, id string, parts []string) ([][]byte, error) {
	switch c.scheme.form {
	case contentful:
		return contentfulText(r, stamp)
	case hygraph:
		return hygraphText(r, stamp, parts), nil
	}
	before, after, _ := strings.Cut(c.scheme.Signed, "{body}")
	fields := strings.NewReplacer("{t}", stamp, "{id}", id)
	return [][]byte{[]byte(fields.Replace(before)), r.Body, []byte(fields.Replace(after))}, nil
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
