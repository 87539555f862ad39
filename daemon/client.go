package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"rebake/daemon/config"
)

// client talks to the admin listener of a running rebake.
type client struct {
	base  string
	token string
	http  *http.Client
}

// newClient finds the listener and its token through the config.
func newClient(cfg *config.Config) (*client, error) {
	name := filepath.Join(cfg.State, "admin-token")
	token, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no admin token in %s: start `rebake serve` once, or name its config with --config", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read admin token: %w; run this as the user that runs rebake", err)
	}
	return &client{
		base:  "http://" + cfg.Admin,
		token: strings.TrimSpace(string(token)),
		http:  &http.Client{Timeout: 90 * time.Second},
	}, nil
}

// get reads an answer into v.
func (c *client) get(ctx context.Context, path string, query url.Values, v any) error {
	return c.do(ctx, http.MethodGet, path+"?"+query.Encode(), nil, v)
}

// post sends body and reads the answer into v.
func (c *client) post(ctx context.Context, path string, body, v any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return c.do(ctx, http.MethodPost, path, b, v)
}

func (c *client) do(ctx context.Context, method, path string, body []byte, v any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask rebake: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "rebake-cli")
	res, err := c.http.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens on %s: is `rebake serve` running?", c.base)
	}
	if err != nil {
		return fmt.Errorf("ask rebake: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("read rebake's answer: %w", err)
	}
	if res.StatusCode >= 300 {
		var problem struct{ Message string }
		_ = json.Unmarshal(b, &problem)
		if res.StatusCode == http.StatusUnauthorized {
			problem.Message = "the admin token of this config is not the one of the rebake that listens on " + c.base
		}
		if problem.Message == "" {
			problem.Message = res.Status
		}
		return errors.New(problem.Message)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read rebake's answer: %w", err)
	}
	return nil
}

// printJSON prints an answer for programs.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
