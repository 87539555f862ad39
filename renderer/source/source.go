// Package source reads JSON from an API, the CMS behind the templates, by GET
// or by GraphQL.
//
// It guarantees that a source is asked within its limits (requests at once,
// requests per second, time and bytes of each), only at the configured host
// and below the configured path, and that one slot stays free for edits that
// somebody waits for. Its errors carry no secret: neither a header's value nor
// the value of a query parameter.
//
// A Lister goes through a list that spans several answers, one at a time.
//
// It does not retry, follow redirects, cache, or know what the JSON means,
// beyond where in an answer a list stands and how it goes on.
package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rebake/renderer/upstream"
)

// Source is one API. Safe for concurrent use.
type Source struct {
	name   string
	config Config
	base   *url.URL // without a slash at its end
	client *upstream.Client
}

// New makes a source called name, the word that its errors start with. The
// only errors are those of c.Validate.
func New(name string, c Config) (*Source, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	base, err := url.Parse(strings.TrimRight(c.URL, "/"))
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return &Source{name: name, config: c, base: base, client: upstream.New(c.limits())}, nil
}

// WordPress reports whether the source has the shape of WordPress' REST API.
func (s *Source) WordPress() bool { return s.config.Kind == kindWordPress }

// Name returns the name that routes use.
func (s *Source) Name() string { return s.name }

// Concurrency returns how many requests are sent at once, at most.
func (s *Source) Concurrency() int { return s.config.Concurrency }

// Close closes the connections that no request is using.
func (s *Source) Close() { s.client.Close() }

// Down returns the source's server when it is down now.
func (s *Source) Down() []upstream.State { return s.client.Down() }

// Request is one thing to ask of a source.
type Request struct {
	// Ref, such as "/posts?slug=x", is appended to the source's URL.
	Ref string
	// Query makes it a GraphQL request: a POST of the query and its variables.
	Query     string
	Variables map[string]any
	// Urgent calls alone may use the last free slot.
	Urgent bool
}

// Answer is what a source said.
type Answer struct {
	// Value is the JSON value: map[string]any, []any, string, int, float64,
	// bool, nil, or json.Number for a number that is too large for those. Of a
	// GraphQL answer it is what stands under data.
	Value  any
	Header http.Header
	// Faults are the errors that a GraphQL answer carries beside its data, ""
	// without one. What is null in Value may have failed then: it must not be
	// taken for something that is not there.
	Faults string
}

// Get is Fetch for a caller who wants nothing but the value of a plain answer.
func (s *Source) Get(ctx context.Context, ref string, urgent bool) (any, error) {
	a, err := s.Fetch(ctx, Request{Ref: ref, Urgent: urgent})
	return a.Value, err
}

// Fetch asks once. The source's time-out starts when the call has its slot;
// until then only ctx ends it.
//
// Errors: storage.ErrGone (wrapped) for 404 and 410 of a plain request,
// *storage.TemporaryError, *storage.RefusedError of the gate too_large; all
// others are permanent. An *upstream.StatusError is in the chain where the status is the
// reason.
func (s *Source) Fetch(ctx context.Context, r Request) (Answer, error) {
	u, err := s.resolve(r.Ref)
	if err != nil {
		return Answer{}, fmt.Errorf("%s: %w", s.name, err)
	}
	a, err := s.fetch(ctx, u, r)
	if err != nil {
		return Answer{}, s.failed(r, u, err)
	}
	return a, nil
}

// failed puts the name of the request before err: "cms GET /posts?slug=…".
func (s *Source) failed(r Request, u *url.URL, err error) error {
	return fmt.Errorf("%s: %w", strings.TrimSpace(s.name+" "+r.method()+" "+s.show(u)), err)
}

// resolve appends ref to the source's URL. What comes out has the scheme and
// host of the source and lies below its path, whatever ref holds.
func (s *Source) resolve(ref string) (*url.URL, error) {
	if ref != "" && ref[0] != '/' && ref[0] != '?' {
		return nil, errors.New("get: must start with / or ?")
	}
	u, err := url.Parse(s.base.String() + ref)
	if err != nil {
		var parse *url.Error // its text holds the whole URL
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return nil, fmt.Errorf("get: %w", err)
	}
	switch {
	case u.Scheme != s.base.Scheme || u.Host != s.base.Host || u.User != nil:
		return nil, errors.New("get: leaves the source's host")
	case u.Fragment != "" || strings.HasSuffix(ref, "#"):
		return nil, errors.New("get: holds a #, which no server sees; write %23")
	case !strings.HasPrefix(u.Path+"/", s.base.Path+"/") || climbs(u.Path):
		return nil, errors.New("get: leaves the source's path")
	}
	return u, nil
}

// climbs reports whether a decoded path has a segment that some server could
// read as "here" or "one up".
func climbs(path string) bool {
	for seg := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if seg == "." || seg == ".." {
			return true
		}
	}
	return false
}

// show names a URL for people: its path below the source's, and the names of
// the query's parameters. Their values may be keys.
func (s *Source) show(u *url.URL) string {
	const most = 200
	out := strings.TrimPrefix(u.EscapedPath(), s.base.EscapedPath())
	for i, pair := range strings.Split(u.RawQuery, "&") {
		if pair == "" {
			continue
		}
		key, _, hasValue := strings.Cut(pair, "=")
		if i == 0 {
			out += "?" + key
		} else {
			out += "&" + key
		}
		if hasValue {
			out += "=…"
		}
	}
	if len(out) > most {
		out = strings.ToValidUTF8(out[:most], "") + "…"
	}
	return out
}
