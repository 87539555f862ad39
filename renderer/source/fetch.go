package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"rebake/renderer/upstream"
	"rebake/storage"
	"rebake/storage/budget"
)

// fetch makes the request and reads the answer. Its errors carry no URL.
func (s *Source) fetch(ctx context.Context, u *url.URL, r Request) (Answer, error) {
	req, err := s.request(ctx, u, r)
	if err != nil {
		return Answer{}, err
	}
	resp, err := s.client.Do(ctx, req, r.Urgent, func(resp *http.Response) error {
		err := s.checkStatus(resp)
		if err != nil && r.Query != "" {
			err = endpoint(err)
		}
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	v, err := decodeCounted(ctx, resp.Body)
	if errors.Is(err, budget.ErrFull) {
		return Answer{}, err
	}
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
	return req, nil
}

// checkStatus is upstream.CheckStatus, with a word about redirects.
func (s *Source) checkStatus(resp *http.Response) error {
	err := upstream.CheckStatus(resp)
	if s.WordPress() && resp.StatusCode == http.StatusServiceUnavailable {
		// It asks for ten minutes when it updates a plugin, which takes seconds.
		return storage.Temporary(err)
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return fmt.Errorf("%w: redirected to %s; redirects are not followed, set url to the final address", err, upstream.RedirectHost(resp))
	}
	return err
}
