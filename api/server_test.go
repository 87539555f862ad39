package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"rebake/storage"
	"rebake/worker"
)

// patience is how long what has to come is waited for, on a machine that does
// other things besides.
const patience = 60 * time.Second

// running is a listener that serves.
type running struct {
	*Listener
	client *http.Client
	stop   context.CancelFunc
	ended  chan error
}

// run serves h, with limits that change makes shorter, on a listener of the
// test's own if there is one.
func run(t *testing.T, h http.Handler, grace time.Duration, change func(*http.Server), own ...net.Listener) *running {
	t.Helper()
	l, err := Listen("127.0.0.1:0", h, grace, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range own {
		_ = l.listener.Close()
		l.listener = other
	}
	if change != nil {
		change(l.server)
	}
	ctx, stop := context.WithCancel(t.Context())
	transport := &http.Transport{}
	r := &running{Listener: l, client: &http.Client{Transport: transport, Timeout: patience}, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := r.end(t); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return r
}

// end waits for the end of Run; it may be called again.
func (r *running) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		r.ended <- err
		return err
	case <-time.After(patience):
		t.Fatal("Run does not end")
		return nil
	}
}

func (r *running) url(target string) string { return "http://" + r.Addr() + target }

func TestListener_servesAndStops(t *testing.T) {
	f := newFixture(t)
	r := run(t, f.Public(), time.Second, nil)
	res, err := r.client.Get(r.url("/api/revalidate?path=/a&secret=" + secret))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("status is %d, want 200", res.StatusCode)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	r.stop()
	if err := r.end(t); err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := net.Dial("tcp", r.Addr()); err == nil {
		t.Error("the address is still taken after Run")
	}
}

func TestListener_letsRequestsEnd(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := run(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "done")
	}), patience, nil)
	got := make(chan string, 1)
	go func() {
		res, err := r.client.Get(r.url("/"))
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-entered
	r.stop()
	untilRefused(t, r.Addr()) // it stops taking requests, and the old one goes on
	close(leave)
	if s := <-got; s != "done" {
		t.Errorf("the request under way got %q, want done", s)
	}
}

// untilRefused waits until nobody listens at addr.
func untilRefused(t *testing.T, addr string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		_ = conn.Close()
	}
	t.Fatal("it still listens")
}

func TestListener_isNotHeldUpByAClient(t *testing.T) {
	entered := make(chan struct{})
	r := run(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}), time.Millisecond, nil)
	conn := dial(t, r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	r.stop()
	if err := r.end(t); err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on after Run")
	}
}

func TestListener_stopsBeforeItServes(t *testing.T) {
	l, err := Listen("127.0.0.1:0", http.NotFoundHandler(), time.Second, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := l.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := net.Dial("tcp", l.Addr()); err == nil {
		t.Error("the address is still taken after Run")
	}
}

func TestListener_closesWithoutServing(t *testing.T) {
	l, err := Listen("127.0.0.1:0", http.NotFoundHandler(), time.Second, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", l.Addr()); err == nil {
		t.Error("the address is still taken after Close")
	}
}

func TestListen_addressInUse(t *testing.T) {
	r := run(t, http.NotFoundHandler(), time.Second, nil)
	if _, err := Listen(r.Addr(), nil, 0, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), r.Addr()) {
		t.Errorf("Listen on a taken address: %v, want an error that names it", err)
	}
}

func dial(t *testing.T, r *running, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestListener_cutsOffSlowClients(t *testing.T) {
	for _, c := range []struct {
		name, text string
		change     func(*http.Server)
	}{
		{"H43 in its headers", "GET /api/revalidate HTTP/1.1\r\nHost: x\r\nX: ", func(s *http.Server) { s.ReadHeaderTimeout = 20 * time.Millisecond }},
		{"H43 in its body", "POST /api/revalidate?path=/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", func(s *http.Server) { s.ReadTimeout = 50 * time.Millisecond }},
		{"H43 that says nothing more", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", func(s *http.Server) { s.IdleTimeout = 20 * time.Millisecond }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			conn := dial(t, run(t, f.Public(), time.Second, c.change), c.text)
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection stays open")
			}
			f.idle()
		})
	}
}

func TestListen_setsLimits(t *testing.T) {
	l, err := Listen("127.0.0.1:0", nil, 0, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := l.server
	got := fmt.Sprint(s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout, s.MaxHeaderBytes)
	if want := "5s 15s 30s 1m0s 16384"; got != want {
		t.Errorf("limits are %s, want %s", got, want)
	}
}

func TestListener_waitMayBeLongerThanItsLimits(t *testing.T) {
	f := newFixture(t)
	const limit = 20 * time.Millisecond
	f.site.wait = func(ctx context.Context, _ worker.AcceptedPage) error {
		select {
		case <-time.After(3 * limit):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r := run(t, f.Public(), time.Second, func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = limit, limit })
	res, err := r.client.Post(r.url("/api/revalidate?wait=1&secret="+secret), "application/json", strings.NewReader(`{"path":"/a"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != 200 {
		t.Errorf("answer is %d %s, %v, want 200", res.StatusCode, body, err)
	}
}

func TestListener_refusesLargeHeaders(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := run(t, f.Public(), time.Second, nil)
	for name, text := range map[string]string{
		"H32 secret in a header": "GET /api/revalidate?path=/a HTTP/1.1\r\nHost: x\r\nX-Rebake-Secret: " + strings.Repeat("CANARY-x", 1<<12),
		"H09 path in a query":    "GET /api/revalidate?path=/" + strings.Repeat("a", 1<<15),
	} {
		t.Run(name, func(t *testing.T) {
			res, err := http.ReadResponse(bufio.NewReader(dial(t, r, text)), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != 431 {
				t.Errorf("status is %d, want 431", res.StatusCode)
			}
			f.idle()
		})
	}
}

func TestListener_panicLeavesTheServerAlive(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(_ context.Context, tr worker.Trigger) (worker.Accepted, error) {
		if tr.Paths[0].String() == "/panic" {
			panic("the inside")
		}
		return worker.Accepted{Unmatched: []storage.Path{tr.Paths[0]}}, nil
	}
	r := run(t, f.Public(), time.Second, nil)
	for path, want := range map[string]int{"/panic": 500, "/a": 200} {
		res, err := r.client.Get(r.url("/api/revalidate?path=" + path + "&secret=" + secret))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: status is %d, want %d", path, res.StatusCode, want)
		}
	}
}
