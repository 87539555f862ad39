// Package embedded runs Rebake's own redis-server: a child process on a Unix
// socket, with its append-only file under the state directory.
//
// The promise: what was acknowledged is on disk (fsync always), one directory
// has one server, and the child does not outlive the process that started it.
package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// Programs are the servers that will do, in the order of preference.
var Programs = []string{"redis-server", "valkey-server"}

// ErrMissing says that no program is installed.
var ErrMissing = errors.New("redis-server is not installed: install it (Debian, Ubuntu: apt-get install redis-server), or name a Redis with `redis:` in rebake.yaml")

const (
	startTime  = 30 * time.Second // a large append-only file takes a while to read
	stopTime   = 10 * time.Second
	lockTime   = 5 * time.Second // for the server of a process that has just died
	attachTime = time.Second
	pause      = 500 * time.Millisecond
)

// Find returns the program to run, or ErrMissing.
func Find() (string, error) {
	for _, name := range Programs {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrMissing
}

// Server is a redis-server of our own.
type Server struct {
	program string
	dir     *os.File // also the lock: whoever has it open and locked has the data
	log     *slog.Logger
}

// Open takes the directory, which is made when it is missing. It waits a few
// seconds for the server of a process that has just died.
func Open(dir string, log *slog.Logger) (*Server, error) {
	program, err := Find()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make redis directory: %w", err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open redis directory: %w", err)
	}
	told := false
	for started := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return &Server{program: program, dir: f, log: log}, nil
		}
		if !told && time.Since(started) > 200*time.Millisecond {
			told = true
			log.Info("waiting for the rebake that has this state", "state", dir, "at most", lockTime)
		}
		if time.Since(started) > lockTime {
			_ = f.Close()
			return nil, fmt.Errorf("another rebake serves this site (it has locked %s); stop it, or give this one a state of its own", dir)
		}
	}
}

// Attach returns how to connect to the server that another process runs in the
// directory, and how to let go of it. False says that none answers there,
// which is known at once where nobody has locked the directory.
func Attach(ctx context.Context, dir string) (opts *redis.Options, release func() error, ok bool) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, nil, false
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		_ = f.Close() // and the lock with it
		return nil, nil, false
	}
	opts = (&Server{dir: f}).Options()
	c := redis.NewClient(opts)
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, attachTime)
	defer cancel()
	if c.Ping(ctx).Err() != nil {
		_ = f.Close()
		return nil, nil, false
	}
	return opts, f.Close, true
}

// Close gives the directory back. Run must have returned.
func (s *Server) Close() error { return s.dir.Close() }

// Options say how to connect. Unix socket paths are limited to 107 bytes and
// state directories are not, so the socket is reached through the open
// directory.
func (s *Server) Options() *redis.Options {
	socket := filepath.Join("/proc/self/fd", strconv.Itoa(int(s.dir.Fd())), socketName)
	return &redis.Options{
		Network: "unix",
		Addr:    socket,
		Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		ContextTimeoutEnabled: true,
		ReadTimeout:           ReadTimeout,
	}
}

// ReadTimeout is how long an answer of Redis is waited for. asynq asks without
// a limit of its own, several times at a stop, so a Redis that hangs holds up a
// stop by a multiple of it.
const ReadTimeout = 2 * time.Second

const socketName = "redis.sock"

// Run starts the server, and starts it again should it end, until ctx is done.
// It calls ready once, when the server answers for the first time.
func (s *Server) Run(ctx context.Context, ready func()) error {
	answered := false
	for {
		err := s.serve(ctx, func() {
			if !answered {
				answered = true
				ready()
			}
		})
		if ctx.Err() != nil {
			return nil
		}
		if !answered { // it cannot start, and will not learn to
			return err
		}
		s.log.Error("redis-server ended, starting it again", "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// serve runs one child to its end. The thread is locked because the child is
// told to end with the thread that started it, not with the process.
func (s *Server) serve(ctx context.Context, ready func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = os.Remove(filepath.Join(s.dir.Name(), socketName))
	cmd := exec.Command(s.program,
		"--port", "0", "--unixsocket", socketName, "--unixsocketperm", "700", "--dir", ".",
		"--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no", "--save", "",
		"--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning")
	cmd.Dir = s.dir.Name()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	// The child holds the lock as well, so that nobody starts a second server
	// on the data while this one still writes its last words.
	cmd.ExtraFiles = []*os.File{s.dir}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	logged := make(chan string, 1)
	var up atomic.Bool
	go func() { logged <- s.follow(out, &up) }()
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watch(ctx, cmd.Process, ended, func() { up.Store(true); ready() })
	}()
	last := <-logged // until the child closes its output
	err = cmd.Wait()
	close(ended)
	<-watched
	if last != "" {
		return fmt.Errorf("redis-server: %s (%v)", last, err)
	}
	return fmt.Errorf("redis-server ended: %v", err)
}

// watch tells when the server answers, and stops it when ctx is done.
func (s *Server) watch(ctx context.Context, p *os.Process, ended <-chan struct{}, ready func()) {
	start, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if s.answers(start, ended) {
		ready()
	} else if ctx.Err() == nil {
		select {
		case <-ended:
			return
		default:
		}
		s.log.Error("redis-server does not answer", "after", startTime)
		_ = p.Kill()
	}
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	_ = p.Signal(syscall.SIGTERM)
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		_ = p.Kill()
	}
}

func (s *Server) answers(ctx context.Context, ended <-chan struct{}) bool {
	c := redis.NewClient(s.Options())
	defer c.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if c.Ping(ctx).Err() == nil {
			return true
		}
		select {
		case <-ended:
			return false
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// follow logs what the server says, and returns the last of it. What it says of
// every start is of interest only when that fails, and then it is returned.
func (s *Server) follow(out io.Reader, up *atomic.Bool) (last string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
			say := s.log.Debug
			if up.Load() {
				say = s.log.Info
			}
			say("redis-server", "says", last)
		}
	}
	return last
}
