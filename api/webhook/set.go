package webhook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"rebake/storage"
)

const (
	// readTime is how long rules may take over an event, and how long an event
	// waits for its turn. Rules always come to an end, but loops in them over
	// long lists can take their time.
	readTime = time.Second
	// readTicks is in how many steps that time is counted. A process that is
	// stopped for a while misses all ticks but one, and blames no event for it.
	readTicks = 10
	// readers is how many events of one webhook go through its rules at once.
	readers = 4
)

// errLate is what did not come within readTime.
var errLate = errors.New("too late")

// Set is all webhooks of a site. Safe for concurrent use.
type Set struct {
	hooks atomic.Pointer[map[string]*Hook] // by their names
}

// NewSet returns the webhooks by their names. Its errors are the config's.
func NewSet(configs map[string]Config) (*Set, error) {
	s := &Set{}
	return s, s.Replace(configs)
}

// Replace puts other webhooks in the place of those that there are, from the
// next request on. After an error they stay. One of which nothing but the secret
// has changed still knows the deliveries that it is done with; with other rules
// one that is sent again is read again.
func (s *Set) Replace(configs map[string]Config) error {
	hooks := make(map[string]*Hook, len(configs))
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		h, err := New(name, configs[name])
		if err != nil {
			errs = append(errs, keyed(name, err))
			continue
		}
		if was, ok := s.Hook(name); ok {
			h.places = was.places
			if h.cfg.SameButSecrets(was.cfg) {
				h.recent = was.recent
			}
		}
		hooks[name] = h
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.hooks.Store(&hooks)
	return nil
}

// all returns the webhooks of now. A nil set has none.
func (s *Set) all() map[string]*Hook {
	if s == nil || s.hooks.Load() == nil {
		return nil
	}
	return *s.hooks.Load()
}

// Prefix is what stands before a webhook's name in its address.
const Prefix = "/_rebake/webhooks/"

// Hook returns the webhook of a name. A nil set has none.
func (s *Set) Hook(name string) (*Hook, bool) {
	h, ok := s.all()[name]
	return h, ok
}

// Names returns the names of all webhooks, in their order.
func (s *Set) Names() []string {
	return slices.Sorted(maps.Keys(s.all()))
}

// Secrets returns those of all webhooks, of now.
func (s *Set) Secrets() []storage.Secret {
	var secrets []storage.Secret
	hooks := s.all()
	for _, name := range slices.Sorted(maps.Keys(hooks)) {
		secrets = append(secrets, hooks[name].cfg.Secret...)
	}
	return secrets
}

// Read says what an event has changed. Rules take no longer than readTime: an
// event that is not read by then is a Failure. What reads it goes on to its end
// all the same, and keeps its place for so long, so that a webhook never has
// more than a few. An event for which no place becomes free is not looked at,
// and Busy. Without rules nothing can take long, and there is no limit.
func (s *Set) Read(ctx context.Context, h *Hook, e Event) Reading {
	if len(h.rules) == 0 {
		return h.contained(e)
	}
	switch _, err := await(ctx, h.places); {
	case errors.Is(err, errLate):
		r := failed("the rules take too long over other events; there was no turn for this one")
		r.Busy = true
		return r
	case err != nil:
		return failed("%v", err)
	}
	read := make(chan Reading, 1)
	go func() {
		defer func() { h.places <- struct{}{} }()
		read <- h.contained(e)
	}()
	switch r, err := await(ctx, read); {
	case errors.Is(err, errLate):
		return failed("reading it takes longer than %s; loops in rules should be over short lists", readTime)
	case err != nil:
		return failed("%v", err)
	default:
		return r
	}
}

// await returns what a channel gives within readTime. Its errors are errLate and
// the context's cause.
func await[T any](ctx context.Context, from <-chan T) (v T, err error) {
	tick := time.NewTicker(readTime / readTicks)
	defer tick.Stop()
	for range readTicks {
		select {
		case v = <-from:
			return v, nil
		case <-ctx.Done():
			return v, context.Cause(ctx)
		case <-tick.C:
		}
	}
	select { // of two that are ready, the one above takes any
	case v = <-from:
		return v, nil
	default:
		return v, errLate
	}
}

// contained reads an event; a panic is a Failure.
func (h *Hook) contained(e Event) (r Reading) {
	if err := storage.Contain(func() error { r = h.read(e); return nil }); err != nil {
		return failed("%v", err)
	}
	return r
}

func failed(format string, args ...any) Reading {
	return Reading{Failed: []Failure{{Message: fmt.Sprintf(format, args...)}}}
}
