package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// system is a running site under measurement. Triggers and visitors speak the
// same HTTP to all of them. Safe for concurrent use.
type system struct {
	name   string
	public string // where visitors read
	api    string // where /api/revalidate is
}

// visitors keeps enough connections for all callers at once. Pages are asked
// for uncompressed, since one system compresses them for every visitor.
var visitors = &http.Client{
	Timeout:   time.Minute,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
}

func pathOf(n int) string { return "/blog/" + slug(n) }

// trigger says that a post has changed, and returns with the answer. query is
// added as it is: "&wait=1".
func (s *system) trigger(ctx context.Context, n int, query string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.api+"/api/revalidate?path="+url.QueryEscape(pathOf(n))+query, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	res, err := visitors.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(text), `"revalidated":true`)) {
		err = fmt.Errorf("%s: trigger for post %d: %s: %s", s.name, n, res.Status, text)
	}
	return err
}

// page returns what a visitor reads.
func (s *system) page(ctx context.Context, n int) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.public+pathOf(n), nil)
	if err != nil {
		return "", err
	}
	res, err := visitors.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: page of post %d: %s", s.name, n, res.Status)
	}
	return string(text), err
}

// visible reads a page again and again until it shows a text; false when it
// does not within the time.
func (s *system) visible(ctx context.Context, n int, want string, within time.Duration) (bool, error) {
	for started := time.Now(); time.Since(started) < within; {
		page, err := s.page(ctx, n)
		if err != nil {
			return false, err
		}
		if strings.Contains(page, want) {
			return true, nil
		}
		time.Sleep(500 * time.Microsecond)
	}
	return false, nil
}

// complete fails unless every page shows its post as it is now.
func (s *system) complete(ctx context.Context, source *cms) error {
	for i := range source.len() {
		n := i + 1
		if ok, err := s.visible(ctx, n, source.text(n), 10*time.Second); err != nil {
			return err
		} else if !ok {
			return fmt.Errorf("%s: the page of post %d does not show %q", s.name, n, source.text(n))
		}
	}
	return nil
}
