package upstream

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"rebake/storage"
)

// maxRetryAfter is the longest that an upstream may ask for.
const maxRetryAfter = 5 * time.Minute

// StatusError is an answer with a status other than 200. What it means for the
// page is said by the errors around it.
type StatusError struct {
	Status int
	// Code is the word by which the API itself says why it refuses, such as
	// "rest_forbidden": that in the JSON of a 401 or 403, "" without one. What
	// stands before the API, such as a firewall, has none.
	Code string
}

func (e *StatusError) Error() string { return fmt.Sprintf("status %d", e.Status) }

// CheckStatus is the table from status to outcome: nil for 200,
// storage.ErrGone (wrapped) for 404 and 410, *storage.TemporaryError for what
// may go away by itself; all others are permanent. Only 404 and 410 say that
// something is gone; a mistake in the keys must never look like that. The
// redirects are the caller's. A *StatusError is always in the chain. The body of
// a refusal may be read for it.
func CheckStatus(resp *http.Response) error {
	status := resp.StatusCode
	said := &StatusError{Status: status}
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound || status == http.StatusGone:
		return fmt.Errorf("%w: %w", said, storage.ErrGone)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		said.Code = codeOf(resp.Body)
		return storage.Temporary(fmt.Errorf("%w; check headers: they must hold a key that may read this", said))
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500:
		return &storage.TemporaryError{Err: said, After: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	case status >= 300:
		return said
	}
	return storage.Temporary(fmt.Errorf("%w; only 200 is an answer", said))
}

// maxRefusal is how much of a refusal is read; it is a sentence or two.
const maxRefusal = 16 << 10

// codeOf reads the code of a refusal.
func codeOf(body io.Reader) string {
	b, err := io.ReadAll(io.LimitReader(body, maxRefusal))
	if err != nil {
		return ""
	}
	var refusal struct {
		Code any `json:"code"` // other APIs have a number
	}
	if json.Unmarshal(b, &refusal) != nil {
		return ""
	}
	code, _ := refusal.Code.(string)
	return code
}

// RedirectHost names where a redirect leads, and no more of it: its query may
// repeat a key.
func RedirectHost(resp *http.Response) string {
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
