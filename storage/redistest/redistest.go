// Package redistest runs a real redis-server for one test, with the
// durability that Rebake asks of a Redis: what was acknowledged survives Kill.
//
// It is for Linux, and it does not fake anything: the scripts that matter are
// run by the Redis that users have.
package redistest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	startTimeout = time.Minute     // from the fork to PONG, the append-only file read
	stopTimeout  = 5 * time.Second // from SIGTERM to SIGKILL
)

// Server is a redis-server that belongs to one test and ends with it. Start
// and Restart are for the test's own goroutine; the other methods are safe for
// concurrent use.
type Server struct {
	t      testing.TB
	binary string
	dir    string

	mu   sync.Mutex // guards proc
	proc *process   // never nil, but perhaps over
}

// Start runs a redis-server and returns when it answers. Where the program is
// missing the test is skipped, or fails when CI is true.
func Start(t testing.TB) *Server {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		const install = "redis-server is not installed: apt-get install redis-server, or run scripts/test"
		if os.Getenv("CI") == "true" {
			t.Fatal(install)
		}
		t.Skip(install)
	}
	// t.TempDir is too long: the name of a Unix socket has at most 107 bytes.
	dir, err := os.MkdirTemp("", "rb")
	if err != nil {
		t.Fatalf("make directory for redis: %v", err)
	}
	s := &Server{t: t, binary: binary, dir: dir}
	t.Cleanup(func() {
		s.stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove redis: %v", err)
		}
	})
	s.start()
	return s
}

// Addr returns the server's URL, "unix:///tmp/rb1/s".
func (s *Server) Addr() string { return "unix://" + s.socket() }

// Client returns a new client that the end of the test closes.
func (s *Server) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket(), ContextTimeoutEnabled: true})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// Kill ends the server with SIGKILL, as a crash would, and waits for its end.
func (s *Server) Kill() {
	s.t.Helper()
	p := s.current()
	s.signal(p, syscall.SIGKILL)
	<-p.over
}

// Restart starts the server again, with the same data and the same address,
// and returns when it answers. One that still runs is stopped first. The
// arguments are added to its command line for this once.
func (s *Server) Restart(args ...string) {
	s.t.Helper()
	s.stop()
	s.start(args...)
}

// Launch is Restart for a server that may not answer for a while, or never.
func (s *Server) Launch(args ...string) {
	s.t.Helper()
	s.stop()
	s.launch(args...)
}

// Over is closed when the server that runs now has ended.
func (s *Server) Over() <-chan struct{} { return s.current().over }

// Dir is where the server keeps its data and its socket.
func (s *Server) Dir() string { return s.dir }

// Pause stops the server's clock (SIGSTOP): connections stay open, answers do
// not come.
func (s *Server) Pause() { s.t.Helper(); s.signal(s.current(), syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { s.t.Helper(); s.signal(s.current(), syscall.SIGCONT) }

func (s *Server) socket() string { return filepath.Join(s.dir, "s") }

func (s *Server) current() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

func (s *Server) signal(p *process, sig syscall.Signal) {
	s.t.Helper()
	if err := p.signal(sig); err != nil {
		s.t.Errorf("send %v to redis: %v", sig, err)
	}
}

func (s *Server) launch(args ...string) *process {
	s.t.Helper()
	p, err := fork(exec.Command(s.binary, append([]string{
		"--port", "0", "--unixsocket", s.socket(), "--unixsocketperm", "700",
		"--dir", s.dir, "--logfile", s.log(), "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "always", "--save", "",
		"--maxmemory-policy", "noeviction"}, args...)...))
	if err != nil {
		s.t.Fatalf("start redis: %v", err)
	}
	s.mu.Lock()
	s.proc = p
	s.mu.Unlock()
	return p
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

func (s *Server) start(args ...string) {
	s.t.Helper()
	p := s.launch(args...)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := p.await(ctx, s.socket()); err != nil {
		text, _ := os.ReadFile(s.log())
		s.t.Fatalf("wait for redis at %s: %v\n%s", s.socket(), err, text)
	}
}

// stop ends the server politely, or else by force. It is no error when the
// server is over, or was never started.
func (s *Server) stop() {
	p := s.current()
	if p == nil {
		return
	}
	_ = p.signal(syscall.SIGTERM)
	_ = p.signal(syscall.SIGCONT) // a paused server takes the SIGTERM now
	select {
	case <-p.over:
	case <-time.After(stopTimeout):
		_ = p.signal(syscall.SIGKILL)
		<-p.over
	}
}

// process is a child that ends at the latest when this program does.
type process struct {
	cmd  *exec.Cmd
	over chan struct{} // closed when the child was waited for
}

// fork starts cmd. Pdeathsig kills the child when the thread that forked it
// ends, so that one goroutine keeps the thread for as long as the child lives.
func fork(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p := &process{cmd: cmd, over: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // however it ended, it has
			close(p.over)
		}
	}()
	return p, <-started
}

func (p *process) signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }

// await returns when the server at socket answers, or p or ctx is over.
func (p *process) await(ctx context.Context, socket string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ping(ctx, socket)
		if err == nil {
			return nil
		}
		select {
		case <-p.over:
			return fmt.Errorf("redis ended (%v): %w", p.cmd.ProcessState, err)
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// ping fails also while the server reads its file (-LOADING).
func ping(ctx context.Context, socket string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprint(conn, "PING\r\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if answer != "+PONG\r\n" {
		return fmt.Errorf("redis answers %q", answer)
	}
	return nil
}
