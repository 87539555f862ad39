package signature

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"mime"
	"net/url"
)

// matchToken compares hashes, since they have one length. What it returns is a
// hash, too, of the secret with the body: the secret itself goes nowhere, and
// an id that nobody vouches for makes no double of another body.
func (c *check) matchToken(given []string, body []byte) ([]byte, error) {
	var found []byte
	for _, key := range c.keys {
		want := sha256.Sum256(key)
		for _, text := range given {
			token, err := []byte(text), error(nil)
			if c.scheme.Encoding == Base64 {
				token, err = Base64.decode(text)
			}
			got := sha256.Sum256(token)
			if subtle.ConstantTimeCompare(want[:], got[:]) == 1 && err == nil {
				found = want[:]
			}
		}
	}
	if found == nil {
		return nil, refused("another secret")
	}
	of := sha256.Sum256(body)
	return append(found, of[:]...), nil
}

// field returns the text in a field of a JSON body, the last one of that name.
// Nobody vouches for the body yet, so nothing is made of its other fields: a map
// of them takes twenty times the room of the body.
func field(body []byte, name string) ([]string, error) {
	var value []byte
	if json.Valid(body) {
		value = lastField(bytes.TrimSpace(body), name)
	}
	var text string
	if json.Unmarshal(value, &text) != nil || text == "" {
		return nil, refused("the body is no JSON object with a text %q", name)
	}
	return []string{text}, nil
}

// lastField returns what the last field of a name holds in a JSON object, nil if
// there is none. It wants valid JSON, so that it need not look at much of it.
func lastField(object []byte, name string) (value []byte) {
	if object[0] != '{' {
		return nil
	}
	depth, isName, found, start := 0, true, false, 0
	for i := 0; i < len(object); i++ {
		switch object[i] {
		case '"':
			end := i + textLength(object[i:])
			if depth == 1 && isName {
				found = isText(object[i:end], name)
			}
			i = end - 1
		case ':':
			if depth == 1 {
				isName, start = false, i+1
			}
		case '{', '[':
			depth++
		case ',', '}', ']':
			if depth == 1 {
				if found && !isName {
					value = object[start:i]
				}
				isName = true
			}
			if object[i] != ',' {
				depth--
			}
		}
	}
	return value
}

// textLength is how long the text is that JSON begins with, with its quotes.
func textLength(from []byte) int {
	for i := 1; i < len(from); i++ {
		switch from[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(from)
}

// isText reports whether a text in JSON is this one.
func isText(quoted []byte, want string) bool {
	if !bytes.ContainsRune(quoted, '\\') {
		return string(quoted[1:len(quoted)-1]) == want
	}
	var text string
	return json.Unmarshal(quoted, &text) == nil && text == want
}

// body returns the body that the rest of the program is to use.
func (c *check) body(r Request) []byte {
	if c.scheme.Field != "" {
		var fields map[string]json.RawMessage
		if json.Unmarshal(r.Body, &fields) != nil {
			return nil
		}
		delete(fields, c.scheme.Field)
		body, err := json.Marshal(fields)
		if err != nil {
			return nil
		}
		return body
	}
	if c.scheme.Payload == "" {
		return r.Body
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
		return r.Body
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil || len(form[c.scheme.Payload]) != 1 {
		return r.Body
	}
	return []byte(form.Get(c.scheme.Payload))
}
