package webhook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rebake/storage"
)

const (
	// readTime is how long an event may take to be read. Rules always come to
	// an end, but loops in them over long lists can take their time.
	readTime = time.Second
	// readers is how many events are read at once.
	readers = 4
)

// Set is all webhooks of a site. Safe for concurrent use.
type Set struct {
	hooks   map[string]*Hook
	reading chan struct{} // has a place for each event that is being read
}

// NewSet returns the webhooks by their names. Its errors are the config's.
func NewSet(configs map[string]Config) (*Set, error) {
	s := &Set{hooks: make(map[string]*Hook, len(configs)), reading: make(chan struct{}, readers)}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		h, err := New(name, configs[name])
		errs = append(errs, keyed(name, err))
		s.hooks[name] = h
	}
	return s, errors.Join(errs...)
}

// Prefix is what stands before a webhook's name in its address.
const Prefix = "/_rebake/webhooks/"

// Hook returns the webhook of a name. A nil set has none.
func (s *Set) Hook(name string) (*Hook, bool) {
	if s == nil {
		return nil, false
	}
	h, ok := s.hooks[name]
	return h, ok
}

// Names returns the names of all webhooks, in their order.
func (s *Set) Names() []string {
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.hooks))
}

// Secrets returns those of all webhooks, of now.
func (s *Set) Secrets() []storage.Secret {
	var all []storage.Secret
	for _, name := range s.Names() {
		all = append(all, *s.hooks[name].secrets.Load()...)
	}
	return all
}

// Read says what an event has changed. It takes no longer than readTime: an
// event that is not read by then is a Failure. What reads it goes on to its end
// all the same, and keeps its place for so long, so that there are never more
// than a few.
func (s *Set) Read(ctx context.Context, h *Hook, e Event) Reading {
	timer := time.NewTimer(readTime)
	defer timer.Stop()
	select {
	case s.reading <- struct{}{}:
	case <-timer.C:
		return failed("the rules of other events take too long; there was no turn for this one")
	case <-ctx.Done():
		return failed("%v", context.Cause(ctx))
	}
	read := make(chan Reading, 1)
	go func() {
		defer func() { <-s.reading }()
		var r Reading
		if err := storage.Contain(func() error { r = h.read(e); return nil }); err != nil {
			r = failed("%v", err)
		}
		read <- r
	}()
	select {
	case r := <-read:
		return r
	case <-timer.C:
		return failed("reading it takes longer than %s; loops in rules should be over short lists", readTime)
	case <-ctx.Done():
		return failed("%v", context.Cause(ctx))
	}
}

func failed(format string, args ...any) Reading {
	return Reading{Failed: []Failure{{Message: fmt.Sprintf(format, args...)}}}
}
