// Package upstream sends requests to the servers that pages are made from,
// within the limits that each was given: requests at once, requests per second,
// time and bytes of each. One slot stays free for edits that somebody waits
// for. A server that is down, or asks for patience, is left alone: its requests
// fail at once then, but for one now and then that tries whether it is back.
// Nothing is sent through the environment's proxy, no redirect is followed, no
// cookie kept, and no error repeats what was sent or received.
//
// It does not retry, cache, or know what an answer means: package source reads
// data with it, package origin pages.
package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rebake/storage"
)

// Config bounds what a server is asked.
type Config struct {
	Headers     map[string]storage.Secret // sent with every request; may replace what the request has
	Timeout     time.Duration             // of one request, from the dial to the last byte
	Concurrency int                       // requests at once; one is kept free for urgent ones when there are more
	Rate        Rate                      // requests per second, unlimited when zero
	MaxBytes    int64                     // of one answer, decompressed
}

// Validate returns every problem, each led by the key that it is about.
func (c Config) Validate() []error {
	var errs []error
	if c.Timeout < 10*time.Millisecond {
		errs = append(errs, errors.New("timeout: must be at least 10ms"))
	}
	if c.Concurrency < 1 {
		errs = append(errs, errors.New("concurrency: must be at least 1"))
	}
	if c.MaxBytes < 1 {
		errs = append(errs, errors.New("max_bytes: must be at least 1"))
	}
	if c.Rate < 0 {
		errs = append(errs, errors.New("rate: must not be negative"))
	}
	return append(errs, checkHeaders(c.Headers)...)
}

// Client asks one server, or several that are the same. Safe for concurrent
// use.
type Client struct {
	config    Config
	client    *http.Client
	transport *http.Transport
	slots     *slots

	mu       sync.Mutex
	circuits map[string]*circuit // guarded by mu; by host
}

// New makes a client of a config that is valid.
func New(c Config) *Client {
	transport := &http.Transport{
		// The environment's proxy would see every header.
		Proxy:                  nil,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        c.Concurrency,
		MaxIdleConnsPerHost:    c.Concurrency,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &Client{
		config:    c,
		transport: transport,
		client: &http.Client{
			Transport: transport,
			// Go would send the configured headers on to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots:    newSlots(c.Concurrency, c.limit()),
		circuits: make(map[string]*circuit),
	}
}

// limit is the rate for the limiter.
func (c Config) limit() rate.Limit {
	if c.Rate == 0 {
		return rate.Inf
	}
	return rate.Limit(c.Rate)
}

// Close closes the connections that no request is using.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Response is a complete answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte // decompressed
}

// Do sends one request and reads the answer to its end. accept decides by
// status and header whether the body is wanted; its error is returned as it
// is. The time-out starts when the call has its slot; until then only ctx ends
// it. Only urgent calls may use the last free slot.
//
// While the server is down nothing is sent, but for one call at a time that
// tries whether it is back; all others neither wait nor take a slot.
//
// Errors besides: *storage.TemporaryError, which says with NotAsked that nothing
// was sent; *storage.RefusedError of the gate too_large.
func (c *Client) Do(ctx context.Context, req *http.Request, urgent bool, accept func(*http.Response) error) (r Response, err error) {
	circuit := c.circuit(req.URL.Host)
	if err := circuit.check(urgent); err != nil {
		return Response{}, err
	}
	release, err := c.slots.acquire(ctx, urgent)
	if err != nil {
		return Response{}, storage.Temporary(fmt.Errorf("wait for a free slot: %w", err))
	}
	defer release()
	try, err := circuit.begin(urgent) // it may have gone down meanwhile
	if err != nil {
		return Response{}, err
	}
	status, v := 0, unknown
	defer func() { circuit.end(req, try, v, failure(status, err)) }() // also when accept panics
	reqCtx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	r, err = c.do(req.WithContext(reqCtx), func(resp *http.Response) error {
		status = resp.StatusCode
		return accept(resp)
	})
	// A render that runs out of its own time has waited for the server as well.
	v = judge(status, err, errors.Is(ctx.Err(), context.Canceled))
	if err != nil && reqCtx.Err() != nil && ctx.Err() == nil && isTransport(err) {
		err = storage.Temporary(fmt.Errorf("no complete answer within %s", c.config.Timeout))
	}
	return r, err
}

// failure is err, or what the status says where the caller accepts it.
func failure(status int, err error) error {
	if err == nil {
		return &StatusError{Status: status}
	}
	return err
}

// circuit returns that of a host. There are as many as the config names.
func (c *Client) circuit(host string) *circuit {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.circuits[host]
	if !ok {
		got = newCircuit(host)
		c.circuits[host] = got
	}
	return got
}

// Down returns the servers that are down now, by their hosts.
func (c *Client) Down() []State {
	c.mu.Lock()
	circuits := slices.Collect(maps.Values(c.circuits))
	c.mu.Unlock()
	var down []State
	for _, circuit := range circuits {
		if s := circuit.now(); !s.Since.IsZero() {
			down = append(down, s)
		}
	}
	slices.SortFunc(down, func(a, b State) int { return strings.Compare(a.Server, b.Server) })
	return down
}

// Refuses reports whether a call to the host would not be sent now.
func (c *Client) Refuses(host string, urgent bool) bool { return c.circuit(host).check(urgent) != nil }

func (c *Client) do(req *http.Request, accept func(*http.Response) error) (Response, error) {
	for name, value := range c.config.Headers {
		if strings.EqualFold(name, "Host") {
			req.Host = value.Reveal()
			continue
		}
		req.Header.Set(name, value.Reveal())
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return Response{}, storage.Temporary(transportError(err))
	}
	defer resp.Body.Close()
	if err := accept(resp); err != nil {
		// The connection can be used again if what is left is short.
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
		return Response{}, err
	}
	// Go decodes the gzip that it asked for, and removes the header. What is
	// left was not asked for, and would be taken for the content as it is.
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return Response{}, storage.Temporary(errors.New("the answer is compressed in a way that was not asked for"))
	}
	body, err := c.readBody(req.Context(), resp)
	if err != nil {
		return Response{}, err
	}
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}
