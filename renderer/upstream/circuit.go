package upstream

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"sync"
	"time"

	"rebake/storage"
)

const (
	// differentFailures in a row are a server that is down. They have to be of
	// different requests: one page that always fails is no such server.
	differentFailures = 5
	// anyFailures in a row are one too, where all pages ask for the same.
	anyFailures = 20
	// firstPause is how long a server that is down is left alone; each try that
	// fails doubles that, up to longestPause.
	firstPause   = time.Second
	longestPause = 10 * time.Second
)

// State is what a Client knows of a server that is down.
type State struct {
	Server string    // its host
	Since  time.Time // it has failed since then; zero while it is asked as usual
	Next   time.Time // when it will be tried again
	Reason string    // the last failure; repeats nothing that was sent
}

// circuit is closed while a server is asked as usual. When too many requests
// in a row have failed, or the server asks for patience, it opens: requests
// are refused at once, but for one at a time that tries whether the server is
// back. The first answer closes it. Safe for concurrent use.
type circuit struct {
	server string
	seed   maphash.Seed

	mu        sync.Mutex
	failures  int                 // guarded by mu, as is all below; in a row
	different map[uint64]struct{} // the requests that they were of
	since     time.Time           // zero while the circuit is closed
	pause     time.Duration       // between the last try and next
	tried     time.Time           // when the last try began
	next      time.Time
	promised  time.Time // nobody asks before that: the server has said so
	trying    bool
	reason    string
}

func newCircuit(server string) *circuit {
	return &circuit{server: server, seed: maphash.MakeSeed(), different: make(map[uint64]struct{})}
}

// check refuses a request that would not be sent if it had its slot now. The
// error is a *storage.TemporaryError that says when to come again.
func (c *circuit) check(urgent bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.refuses(urgent, now) {
		return c.refusal(urgent, now)
	}
	return nil
}

// begin is check for a request that is sent now. try says that it is the one
// that finds out whether the server is back; each begin needs its end.
func (c *circuit) begin(urgent bool) (try bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.refuses(urgent, now) {
		return false, c.refusal(urgent, now)
	}
	if c.since.IsZero() {
		return false, nil
	}
	c.trying, c.tried = true, now
	return true, nil
}

// refuses needs mu.
func (c *circuit) refuses(urgent bool, now time.Time) bool {
	return !c.since.IsZero() && (c.trying || now.Before(c.when(urgent)))
}

// when is the time of the next try; mu is held. An edit that somebody waits
// for may always be it, if the one before was not in this very moment.
func (c *circuit) when(urgent bool) time.Time {
	if !urgent {
		return c.next
	}
	if soon := c.tried.Add(firstPause); soon.After(c.promised) {
		return soon
	}
	return c.promised
}

// refusal needs mu.
func (c *circuit) refusal(urgent bool, now time.Time) error {
	wait := c.when(urgent).Sub(now)
	if c.trying {
		wait = firstPause
	}
	return &storage.TemporaryError{
		// Without a time in it: the same text again is no news.
		Err:      fmt.Errorf("not asked, %s is left alone for a while: %s", c.server, c.reason),
		After:    max(wait, time.Millisecond),
		NotAsked: true,
	}
}

// verdict is what a request has shown of its server.
type verdict int

const (
	unknown verdict = iota // it was called off
	answers
	fails
)

// judge says what an answer, or none, means for the server. A status that is
// about the page, such as 404 or 401, is an answer.
func judge(status int, err error, calledOff bool) verdict {
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500:
		return fails
	case err != nil && isTransport(err) && calledOff:
		return unknown
	case err != nil && isTransport(err):
		return fails
	}
	return answers
}

// end tells how a request went for which begin said try. err is why it failed.
func (c *circuit) end(req *http.Request, try bool, v verdict, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if try {
		c.trying = false
	}
	switch {
	case v == answers && (try || !now.Before(c.promised)):
		c.close()
	case v == fails:
		c.fail(req, try, err, now)
	}
}

// close needs mu.
func (c *circuit) close() {
	c.failures, c.since, c.next, c.pause, c.reason = 0, time.Time{}, time.Time{}, 0, ""
	clear(c.different)
}

// fail counts a failure, and opens the circuit when that was one too many; mu
// is held.
func (c *circuit) fail(req *http.Request, try bool, err error, now time.Time) {
	var temporary *storage.TemporaryError
	if errors.As(err, &temporary) && temporary.After > 0 {
		// What one page was told is meant for all.
		if until := now.Add(min(temporary.After, maxRetryAfter)); until.After(c.promised) {
			c.promised = until
		}
	}
	open := !c.since.IsZero()
	if !open {
		c.failures++
		if len(c.different) < differentFailures {
			c.different[c.fingerprint(req)] = struct{}{}
		}
		if len(c.different) < differentFailures && c.failures < anyFailures && !c.promised.After(now) {
			return
		}
		c.since, c.tried = now, now
	}
	if !open || try {
		c.reason = err.Error()
		c.pause = min(max(firstPause, 2*c.pause), longestPause)
		// A try that took long was a pause too.
		c.next = later(c.tried.Add(c.pause), now.Add(firstPause))
	}
	c.next = later(c.next, c.promised)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// now returns the state of the moment.
func (c *circuit) now() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{Server: c.server, Since: c.since, Next: c.next, Reason: c.reason}
}

// fingerprint tells requests apart. Those of GraphQL differ in their bodies
// alone.
func (c *circuit) fingerprint(req *http.Request) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	_, _ = h.WriteString(req.URL.String())
	if req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			_, _ = io.Copy(&h, body)
			_ = body.Close()
		}
	}
	return h.Sum64()
}
