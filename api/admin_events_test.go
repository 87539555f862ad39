package api

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"rebake/storage/ledger"
)

// listener serves a fixture's admin listener until the test ends, or stop.
func (f *fixture) listener(t *testing.T) (addr string, stop func()) {
	t.Helper()
	l, err := Listen("127.0.0.1:0", f.Admin(), 20*time.Second, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = l.Run(ctx)
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return l.Addr(), stop
}

// listen opens the stream of events.
func listen(t *testing.T, addr string) *bufio.Scanner {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("answer is %s of type %s", res.Status, got)
	}
	return bufio.NewScanner(res.Body)
}

func TestEvents_areTold(t *testing.T) {
	f := newFixture(t)
	addr, _ := f.listener(t)
	lines := listen(t, addr)
	lines.Scan() // the greeting: from here on nothing is missed
	sent := f.site.feed.send(ledger.Event{
		Kind: ledger.Published, Path: mustPath(t, "/blog/a"), ID: 42, Ran: 12 * time.Millisecond, Waited: 30 * time.Millisecond,
		Reason: "two\nlines", At: time.UnixMilli(1_790_000_000_000).UTC(),
	})
	if !sent {
		t.Fatal("nobody listens")
	}
	var got []string
	for lines.Scan() && len(got) < 3 {
		if lines.Text() != "" {
			got = append(got, lines.Text())
		}
	}
	want := `event: published
id: 42
data: {"kind":"published","path":"/blog/a","id":"42","at":"2026-09-21T14:13:20Z","ran_ms":12,"waited_ms":30,"reason":"two\nlines"}`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("the event is\n%s\nwant\n%s", text, want)
	}
}

func TestEvents_endWhenTheServerStops(t *testing.T) {
	f := newFixture(t)
	addr, stop := f.listener(t)
	lines := listen(t, addr)
	lines.Scan()
	started := time.Now()
	stop()
	for lines.Scan() {
	}
	if took := time.Since(started); took > 15*time.Second {
		t.Errorf("the stop took %s: it waited for the listener", took)
	}
}
