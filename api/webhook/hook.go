package webhook

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"rebake/api/signature"
)

// Hook is one webhook: who may send to it, and what events mean. Safe for
// concurrent use.
type Hook struct {
	name     string
	cfg      Config // with its defaults
	kind     kind
	rules    []rule
	verifier *signature.Verifier
	recent   *signature.Recent
	places   chan struct{} // one for each event that rules may still begin to read
}

// New returns the webhook of a name. Its errors are the config's, all at once,
// each led by the key that it is about.
func New(name string, cfg Config) (*Hook, error) {
	k, known := kinds[cfg.Kind]
	if !known {
		return nil, fmt.Errorf("kind: unknown kind %q; known: %s", cfg.Kind, strings.Join(Kinds(), ", "))
	}
	h := &Hook{name: name, cfg: cfg.WithDefaults(), kind: k, places: make(chan struct{}, readers)}
	for range readers {
		h.places <- struct{}{}
	}
	errs := []error{h.cfg.check(k)}
	for i, r := range cfg.Rules {
		compiled, err := r.compile()
		errs = append(errs, keyed(fmt.Sprintf("rules[%d]", i), err))
		h.rules = append(h.rules, compiled)
	}
	var err error
	h.verifier, err = cfg.verifier()
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var tolerance time.Duration // of the default, when no limit is set
	if cfg.Verify != nil && cfg.Verify.Tolerance != nil {
		tolerance = *cfg.Verify.Tolerance
	}
	h.recent = signature.NewRecent(tolerance)
	return h, nil
}

// WithDefaults fills in what the kind brings.
func (c Config) WithDefaults() Config {
	k := kinds[c.Kind]
	for _, f := range []struct {
		to **time.Duration
		d  time.Duration
	}{{&c.Settle, k.settle}, {&c.MaxWait, k.maxWait}, {&c.Recheck, k.recheck}} {
		if *f.to == nil {
			*f.to = &f.d
		}
	}
	return c
}

const (
	// mostWait is the longest that a page may be kept waiting on purpose: the
	// ledger waits no longer.
	mostWait = 5 * time.Minute
	// mostRecheck is the longest until a second look.
	mostRecheck = time.Hour
)

// SameButSecrets reports whether two configs say the same besides their secrets.
func (c Config) SameButSecrets(other Config) bool {
	for _, v := range []*Config{&c, &other} {
		v.Secret, v.SecretFile = nil, ""
	}
	return reflect.DeepEqual(c, other)
}

// check returns what is wrong with the plain values.
func (c Config) check(k kind) error {
	var errs []error
	for _, f := range []struct {
		key     string
		d, most time.Duration
	}{{"settle", *c.Settle, mostWait}, {"max_wait", *c.MaxWait, mostWait}, {"recheck", *c.Recheck, mostRecheck}} {
		if f.d < 0 || f.d > f.most {
			errs = append(errs, fmt.Errorf("%s: must be between 0s and %s", f.key, f.most))
		}
	}
	if *c.MaxWait < *c.Settle {
		errs = append(errs, fmt.Errorf("max_wait: is less than settle (%s); left out, it is %s", *c.Settle, k.maxWait))
	}
	if c.MaxBody < 0 {
		errs = append(errs, errors.New("max_body: must be at least 1, or left out"))
	}
	if k.rules && len(c.Rules) == 0 {
		errs = append(errs, fmt.Errorf("rules: required for kind %s: which pages a push touches, only you know", c.Kind))
	}
	return errors.Join(errs...)
}

// Name returns the webhook's name.
func (h *Hook) Name() string { return h.name }

// Config returns the webhook's config with its defaults.
func (h *Hook) Config() Config { return h.cfg }

// Delivery is a request that the webhook's secret vouches for.
type Delivery struct {
	signature.Event
	// Key tells it from all others, "" when nothing does.
	Key string
}

// Verify checks a request. Its errors are signature.ErrRefused.
func (h *Hook) Verify(r signature.Request, now time.Time) (Delivery, error) {
	e, err := h.verifier.Verify(r, now)
	if err != nil {
		return Delivery{}, err
	}
	d := Delivery{Event: e, Key: e.Key}
	if d.Key == "" {
		d.Key = h.unsigned(r)
	}
	return d, nil
}

// Seen reports whether a delivery was done with before.
func (h *Hook) Seen(d Delivery, now time.Time) bool { return h.recent.Seen(d.Key, now) }

// Done remembers a delivery. It is to be called when what came of it is
// durable, and not before.
func (h *Hook) Done(d Delivery, now time.Time) { h.recent.Done(d.Key, now) }

// keyed puts a key before each of several joined errors.
func keyed(key string, err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, keyed(key, e))
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("%s.%w", key, err)
}
