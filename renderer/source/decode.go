package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"rebake/storage/budget"
)

// decodeCounted is decode for a render: the decoder keeps a copy of the body
// in a buffer that has grown, and what it makes of it is about as large again.
// Afterwards only that is left.
func decodeCounted(ctx context.Context, body []byte) (any, error) {
	size := int64(len(body))
	if err := budget.Grow(ctx, 3*size); err != nil {
		return nil, err
	}
	v, err := decode(body)
	if err != nil {
		return nil, err
	}
	return v, budget.Grow(ctx, -3*size) // the body's own bytes stand for the value
}

// Decode reads the one JSON value of an answer that was not asked for by a
// Source, in the form of Answer.Value.
func Decode(ctx context.Context, body []byte) (any, error) { return decodeCounted(ctx, body) }

// decode reads exactly one JSON value.
//
// Numbers become int where they are whole and fit, else float64: as float64
// alone, the id 12345678 would print as 1.2345678e+07 in a tag and lose digits
// above 2^53; as json.Number alone, {post.n == 3} would be false and a
// template could not compare it. A number that fits neither stays json.Number.
func decode(body []byte) (any, error) {
	if !utf8.Valid(body) {
		// encoding/json would put U+FFFD in its place and say nothing.
		return nil, errors.New("the answer is not valid UTF-8")
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // some PHP files send it
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, notJSON(body, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the answer goes on after its JSON value")
	}
	return numbers(v), nil
}

// notJSON says what the answer is instead, as far as that is easily told.
func notJSON(body []byte, err error) error {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return errors.New("the answer is empty")
	case body[0] == '<':
		return errors.New("the answer is HTML or XML, not JSON; does url lead to the API?")
	}
	return fmt.Errorf("the answer is not JSON: %w", err)
}

// numbers replaces every json.Number in v, in place where it can.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}

func number(n json.Number) any {
	if i, err := strconv.Atoi(n.String()); err == nil {
		return i
	}
	whole := !strings.ContainsAny(n.String(), ".eE")
	if f, err := n.Float64(); err == nil && !whole {
		return f
	}
	return n
}
