// Package signedtest has requests as CMSs send them, signed by code that is not
// ours, for tests. scripts/fixtures makes them.
package signedtest

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"
)

//go:embed events/*.json
var files embed.FS

// Event is one request, and what a receiver has to know to verify it.
type Event struct {
	// Name tells what it is: "ghost-deleted".
	Name string `json:"-"`
	// Kind is its sender's.
	Kind string
	// Options are those of signature.Options.
	Options struct {
		Header   string
		BodyOnly bool `json:"body_only"`
	}
	// Signer says whose code has signed it.
	Signer string
	Secret string
	// Time is when it was sent.
	Time   time.Time
	Method string
	// Target is that of the request line.
	Target string
	// Headers are as they come over the wire, where a character is a byte.
	Headers map[string]string
	// Proof names those that prove the sender; none where the body does.
	Proof []string
	Body  []byte
}

// Header returns a new copy of the headers.
func (e Event) Header() http.Header {
	h := http.Header{}
	for name, value := range e.Headers {
		h.Set(name, value)
	}
	return h
}

// URL returns the target parsed, anew.
func (e Event) URL(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse(e.Target)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Events returns all of them, by name.
func Events(t testing.TB) []Event {
	t.Helper()
	names, err := fs.Glob(files, "events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	events := make([]Event, len(names))
	for i, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &events[i]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		events[i].Name = strings.TrimSuffix(path.Base(name), ".json")
		for header, value := range events[i].Headers {
			events[i].Headers[header] = onTheWire(value)
		}
	}
	return events
}

// onTheWire writes a header as Node does: a byte for each character.
func onTheWire(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}
