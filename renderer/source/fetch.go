package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rebake/storage"
)

// maxRetryAfter is the longest that an upstream may ask for.
const maxRetryAfter = 5 * time.Minute

// fetch makes the request and reads the answer. Its errors carry no URL.
func (s *Source) fetch(ctx context.Context, u *url.URL, r Request) (Answer, error) {
	req, err := s.request(ctx, u, r)
	if err != nil {
		return Answer{}, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return Answer{}, storage.Temporary(transportError(err))
	}
	defer resp.Body.Close()
	if err := checkStatus(resp); err != nil {
		// The connection can be used again if what is left is short.
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
		if r.Query != "" {
			err = endpoint(err)
		}
		return Answer{}, err
	}
	// Go decodes the gzip that it asked for, and removes the header. What is
	// left was not asked for, and would reach the decoder as it is.
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return Answer{}, storage.Temporary(errors.New("the answer is compressed in a way that was not asked for"))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, s.config.MaxBytes+1))
	if err != nil {
		return Answer{}, storage.Temporary(transportError(err))
	}
	if int64(len(body)) > s.config.MaxBytes {
		return Answer{}, &storage.RefusedError{
			Gate:   "too_large",
			Reason: fmt.Sprintf("the answer has more than %d bytes; ask for less, or raise the source's max_bytes", s.config.MaxBytes),
		}
	}
	v, err := decode(body)
	if err != nil {
		return Answer{}, storage.Temporary(err)
	}
	a := Answer{Value: v, Header: resp.Header}
	if r.Query != "" {
		a.Value, a.Faults, err = openGraphQL(v)
	}
	return a, err
}

func (r Request) method() string {
	if r.Query != "" {
		return http.MethodPost
	}
	return http.MethodGet
}

// request builds the one kind of request that a source makes: nothing in it
// comes from a visitor or a trigger but the URL and the variables of a query.
func (s *Source) request(ctx context.Context, u *url.URL, r Request) (*http.Request, error) {
	var body io.Reader
	if r.Query != "" {
		text, err := graphQLBody(r)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.method(), u.String(), body)
	if err != nil {
		return nil, errors.New("the request cannot be made") // err shows the URL
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Set("User-Agent", "rebake")
	for name, value := range s.config.Headers {
		if strings.EqualFold(name, "Host") {
			req.Host = value.Reveal()
			continue
		}
		req.Header.Set(name, value.Reveal())
	}
	return req, nil
}

// StatusError is an answer with a status other than 200. What it means for the
// page is said by the errors around it.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return fmt.Sprintf("status %d", e.Status) }

// checkStatus is the table from status to outcome. Only 404 and 410 say that
// something is gone; a mistake in the source's keys must never look like that.
func checkStatus(resp *http.Response) error {
	status := resp.StatusCode
	said := &StatusError{Status: status}
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound || status == http.StatusGone:
		return fmt.Errorf("%w: %w", said, storage.ErrGone)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return storage.Temporary(fmt.Errorf("%w; check the source's headers: they must hold a key that may read this", said))
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500:
		return &storage.TemporaryError{Err: said, After: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	case status >= 400:
		return said
	case status >= 300:
		return fmt.Errorf("%w: redirected to %s; redirects are not followed, set url to the final address", said, redirectHost(resp))
	}
	return storage.Temporary(fmt.Errorf("%w; only 200 is an answer", said))
}

// redirectHost names where a redirect leads, and no more of it: its query may
// repeat a key.
func redirectHost(resp *http.Response) string {
	u, err := resp.Location()
	if err != nil || u.Host == "" {
		return "nowhere"
	}
	return u.Scheme + "://" + u.Host
}

// retryAfter reads seconds or a date; 0 when there is none that can be read.
func retryAfter(header string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(n, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(header); err == nil {
		return min(max(0, t.Sub(now)), maxRetryAfter)
	}
	return 0
}

// transportFault is a failure on the way. Its text is cut so that it repeats
// nothing that was sent or received.
type transportFault struct {
	text string
	err  error
}

func (e *transportFault) Error() string { return e.text }
func (e *transportFault) Unwrap() error { return e.err }

func isTransport(err error) bool {
	var fault *transportFault
	return errors.As(err, &fault)
}

func transportError(err error) error {
	// The text of url.Error holds the whole URL.
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var op *net.OpError
	text := err.Error()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		text = "the answer ended early"
	case errors.As(err, &op):
		text = op.Error()
	default:
		// What net/http puts into quotes was sent by the server, which may
		// repeat what it was asked.
		if head, _, found := strings.Cut(text, `"`); found {
			text = head + "…"
		}
	}
	return &transportFault{text: text, err: err}
}
