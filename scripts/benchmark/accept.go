package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// benchAccept measures how fast triggers become durable: callers who each send
// one trigger after the other, every one for another page, to a `rebake serve`
// with its own redis-server (fsync always). First while the site is held, so
// that nothing else is done; then while the pages of all of them are rendered.
func benchAccept(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("accept", flag.ContinueOnError)
	triggers := flags.Int("triggers", 20_000, "how many triggers, in each part")
	callers := flags.Int("callers", 32, "how many callers at once")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, program, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source := httptest.NewServer(posts(2 * *triggers))
	defer source.Close()
	site, err := newRebakeSite(dir, program, source.URL)
	if err != nil {
		return err
	}
	if err := site.start(ctx); err != nil {
		return err
	}
	defer site.stop()
	token, err := os.ReadFile(filepath.Join(dir, ".rebake/admin-token"))
	if err != nil {
		return err
	}
	admin := func(path, body string) error {
		return post(ctx, "http://"+site.admin+path, strings.TrimSpace(string(token)), []byte(body))
	}
	if err := admin("/v1/hold", `{"reason": "benchmark"}`); err != nil {
		return err
	}
	for i, name := range []string{"nothing is rendered", "all are rendered meanwhile"} {
		if err := site.accept(ctx, name, i**triggers, *triggers, *callers); err != nil {
			return err
		}
		if err := admin("/v1/resume", `{}`); err != nil {
			return err
		}
	}
	return nil
}

// accept sends triggers for the posts after the first ones, and prints the rate
// and how long an answer took.
func (s *rebakeSite) accept(ctx context.Context, name string, first, triggers, callers int) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, triggers)
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	started := time.Now()
	for range callers {
		group.Go(func() error {
			for i := int(next.Add(1)) - 1; i < triggers; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if err := s.trigger(ctx, client, pathOf(first+i+1)); err != nil {
					return err
				}
				took[i] = time.Since(began)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	all := time.Since(started)
	slices.Sort(took)
	fmt.Printf("%-28s %6d triggers by %d callers  %6.0f triggers/s  p50 %.1f ms  p99 %.1f ms  slowest %.1f ms\n",
		name, triggers, callers, float64(triggers)/all.Seconds(), ms(percentile(took, 50)), ms(percentile(took, 99)), ms(took[triggers-1]))
	return nil
}

// trigger is accepted, or an error.
func (s *rebakeSite) trigger(ctx context.Context, client *http.Client, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.listen+"/api/revalidate?recheck=0&path="+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct {
		ID    string
		Pages int
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return fmt.Errorf("trigger for %s: %s: %w", path, res.Status, err)
	}
	if _, err := strconv.Atoi(answer.ID); err != nil || answer.Pages != 1 { // what is spooled has a name
		return fmt.Errorf("trigger for %s: %s %+v, want that one page is owed", path, res.Status, answer)
	}
	return nil
}
