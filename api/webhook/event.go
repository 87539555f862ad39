package webhook

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"rebake/api/signature"
)

// ErrUnreadable is a body that is no event: neither JSON nor a form. Sending it
// again does not help.
var ErrUnreadable = errors.New("the body cannot be read")

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnreadable, fmt.Sprintf(format, args...))
}

// Event decodes a request that was verified. Its errors are ErrUnreadable.
func (h *Hook) Event(r signature.Request, d Delivery) (Event, error) {
	e := Event{Source: h.name, Method: r.Method, Header: map[string]any{}, Query: map[string]any{}, Raw: d.Body}
	for name, values := range d.Header {
		if len(values) > 0 {
			e.Header[strings.ToLower(name)] = values[0]
		}
	}
	if r.URL != nil {
		for name, values := range r.URL.Query() {
			e.Query[name] = values[0]
		}
	}
	var err error
	e.Body, err = decode(r.Header.Get("Content-Type"), d.Body)
	return e, err
}

// decode reads a body. JSON is taken for what it is, whatever the header says:
// some senders set no type, and others one of their own.
func decode(contentType string, body []byte) (any, error) {
	text := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(text) == 0 {
		return nil, nil
	}
	if !utf8.Valid(text) {
		return nil, unreadable("it is not UTF-8")
	}
	t, _, _ := mime.ParseMediaType(contentType)
	isForm := t == "application/x-www-form-urlencoded"
	if isForm && text[0] != '{' && text[0] != '[' {
		return decodeForm(string(text))
	}
	return decodeJSON(text)
}

// decodeJSON reads exactly one value.
func decodeJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, unreadable("it is not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, unreadable("it goes on after its JSON value")
	}
	return plain(v), nil
}

// plain puts an int or a float64 in the place of every number, so that rules
// can compare them and ids keep their digits.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = plain(v[name])
		}
	}
	return v
}

// number leaves as it is what no int and no float64 holds: an id with many
// digits, and what is larger than any number.
func number(n json.Number) any {
	if i, err := strconv.Atoi(n.String()); err == nil {
		return i
	}
	if !strings.ContainsAny(n.String(), ".eE") {
		return n
	}
	f, err := n.Float64()
	if err != nil {
		return n
	}
	if i := math.Trunc(f); i == f && math.Abs(f) < 1<<53 {
		return int(i)
	}
	return f
}

// unsigned returns what tells a delivery from others when its signature does
// not: an id that the sender gives, together with the body, since anybody can
// write a header that is not signed.
func (h *Hook) unsigned(r signature.Request) string {
	for _, name := range h.kind.ids {
		if id := r.Header.Get(name); id != "" && len(id) <= 256 {
			return key(r, id)
		}
	}
	return ""
}

func key(r signature.Request, id string) string {
	sum := sha256.New()
	_, _ = io.WriteString(sum, id+"\x00") // a hash takes everything
	_, _ = sum.Write(r.Body)
	return string(sum.Sum(nil))
}

// Kept returns the headers that an event is kept with, by lower-case names:
// all that can say what it is about, and none that could hold a secret.
func (e Event) Kept() map[string]string {
	kept := map[string]string{}
	for name, value := range e.Header {
		if s, isText := value.(string); isText && !Guards(name) {
			kept[name] = s
		}
	}
	return kept
}
