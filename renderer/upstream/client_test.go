package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rebake/storage"
)

// server is a real one that can be told to fail. It counts what reaches it.
type server struct {
	*httptest.Server
	t      *testing.T
	client *Client
	asked  atomic.Int64
	now    atomic.Pointer[http.HandlerFunc]
}

func newServer(t *testing.T, change ...func(*Config)) *server {
	s := &server{t: t}
	s.behave(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") })
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		(*s.now.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	c := Config{Timeout: 30 * time.Second, Concurrency: 4, MaxBytes: 1 << 20}
	for _, f := range change {
		f(&c)
	}
	s.client = New(c)
	t.Cleanup(s.client.Close)
	return s
}

func (s *server) behave(h http.HandlerFunc) { s.now.Store(&h) }

func (s *server) answer(status int, header ...string) {
	s.behave(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	})
}

func (s *server) get(ctx context.Context, path string) error {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.client.Do(ctx, req, false, CheckStatus)
	return err
}

// fail asks for n different pages, which have to fail.
func (s *server) fail(n int) (last error) {
	s.t.Helper()
	for i := range n {
		if last = s.get(s.t.Context(), fmt.Sprintf("/%d?key=hush", i)); last == nil {
			s.t.Fatal("no failure")
		}
	}
	return last
}

// wantRefused asserts that the error says that nothing was sent.
func (s *server) wantRefused(err error) *storage.TemporaryError {
	s.t.Helper()
	var temporary *storage.TemporaryError
	if !errors.As(err, &temporary) || !temporary.NotAsked {
		s.t.Fatalf("error %v, want one that says that nothing was asked", err)
	}
	return temporary
}

func TestClient_leavesAServerAloneThatIsDown(t *testing.T) { // H53, H64
	for name, fault := range map[string]struct {
		set    func(*server)
		reason string
	}{
		"500":          {func(s *server) { s.answer(500) }, "status 500"},
		"502":          {func(s *server) { s.answer(502) }, "status 502"},
		"503":          {func(s *server) { s.answer(503) }, "status 503"},
		"504":          {func(s *server) { s.answer(504) }, "status 504"},
		"429":          {func(s *server) { s.answer(429) }, "status 429"},
		"refuses":      {func(s *server) { s.Listener.Close() }, "connection refused"},
		"closes":       {func(s *server) { s.behave(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }) }, "ended early"},
		"slow headers": {func(s *server) { s.behave(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }) }, "no complete answer within 50ms"},
		"slow body": {func(s *server) {
			s.behave(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, "half")
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			})
		}, "no complete answer within 50ms"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(c *Config) {
				if strings.HasPrefix(fault.reason, "no complete answer") {
					c.Timeout = 50 * time.Millisecond
				}
			})
			fault.set(s)
			s.fail(differentFailures)
			before := s.asked.Load()
			err := s.get(t.Context(), "/next?key=hush")
			s.wantRefused(err)
			if !strings.Contains(err.Error(), fault.reason) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %q, want the reason %q and no secret", err, fault.reason)
			}
			if s.asked.Load() != before {
				t.Error("the server was asked all the same")
			}
			if down := s.client.Down(); len(down) != 1 || !strings.Contains(down[0].Reason, fault.reason) || time.Until(down[0].Next) > 2*time.Second {
				t.Errorf("down = %+v, want the one server, with %q", down, fault.reason)
			}
		})
	}
}

func TestClient_asksAgainWhenTheServerIsBack(t *testing.T) {
	s := newServer(t)
	s.answer(503)
	refused := s.fail(differentFailures + 1)
	again := s.wantRefused(refused).After
	s.answer(200)
	<-time.After(again)
	if err := s.get(t.Context(), "/"); err != nil {
		t.Fatalf("the first call after the pause: %v", err)
	}
	if err := s.get(t.Context(), "/"); err != nil {
		t.Fatal(err)
	}
	if down := s.client.Down(); len(down) != 0 {
		t.Errorf("down %v, want none", down)
	}
}

func TestClient_RetryAfterOfOnePageHoldsForAll(t *testing.T) { // H53
	for header, want := range map[string]time.Duration{"5": 5 * time.Second, "99999999": 5 * time.Minute} {
		s := newServer(t)
		s.answer(429, "Retry-After", header)
		s.fail(1)
		again := s.wantRefused(s.get(t.Context(), "/another")).After
		if again > want || again < want-2*time.Second {
			t.Errorf("Retry-After %s: another page may come after %v, want %v", header, again, want)
		}
		if s.asked.Load() != 1 {
			t.Errorf("Retry-After %s: asked %d times, want once", header, s.asked.Load())
		}
	}
}

func TestClient_whoWaitsForASlotHearsThatTheServerIsDown(t *testing.T) {
	hang := make(chan struct{})
	s := newServer(t, func(c *Config) { c.Concurrency = differentFailures + 1 })
	s.behave(func(w http.ResponseWriter, _ *http.Request) {
		<-hang
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	const calls = 3 * differentFailures
	errs := make(chan error, calls)
	for i := range calls {
		go func() { errs <- s.get(t.Context(), fmt.Sprintf("/%d", i)) }()
	}
	for s.asked.Load() < differentFailures || len(s.client.slots.all) < differentFailures {
		time.Sleep(time.Millisecond)
	}
	close(hang)
	refused := 0
	for range calls {
		var temporary *storage.TemporaryError
		if err := <-errs; errors.As(err, &temporary) && temporary.NotAsked {
			refused++
		}
	}
	// Until the last of those in a row has failed, others follow into their slots.
	if got := int(s.asked.Load()); got >= 2*differentFailures || refused != calls-got {
		t.Errorf("of %d calls %d were sent and %d refused; want those that had no slot refused", calls, got, refused)
	}
}

func TestClient_panicOfTheCallerLeavesNoTryBehind(t *testing.T) {
	s := newServer(t)
	s.answer(503)
	s.fail(differentFailures)
	<-time.After(time.Until(s.client.Down()[0].Next))
	func() {
		defer func() { _ = recover() }()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		_, _ = s.client.Do(t.Context(), req, false, func(*http.Response) error { panic("oven on fire") })
	}()
	s.answer(200)
	if err := s.get(t.Context(), "/"); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

func TestClient_serversAreDownEachForItself(t *testing.T) {
	bad, good := newServer(t), newServer(t)
	good.client = bad.client
	bad.answer(503)
	bad.fail(differentFailures)
	bad.wantRefused(bad.get(t.Context(), "/"))
	if err := good.get(t.Context(), "/"); err != nil {
		t.Errorf("the other server: %v", err)
	}
}
