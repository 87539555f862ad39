package signature

import (
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

// field returns the text in a field of a JSON body.
func field(body []byte, name string) ([]string, error) {
	var (
		fields map[string]json.RawMessage
		text   string
	)
	if json.Unmarshal(body, &fields) != nil || json.Unmarshal(fields[name], &text) != nil || text == "" {
		return nil, refused("the body is no JSON object with a text %q", name)
	}
	return []string{text}, nil
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
