// Package nginxtest runs a real nginx for one test. It is for Linux.
package nginxtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// On a machine that does other things besides.
	startTimeout = 60 * time.Second // from the fork to the first answer
	stopTimeout  = 60 * time.Second // from SIGTERM to SIGKILL
)

// Server is an nginx that belongs to one test and ends with it. Its methods
// are for the test's own goroutine.
type Server struct {
	// URL is where it answers, "http://127.0.0.1:40001".
	URL string

	t          testing.TB
	binary     string
	dir        string
	addr       string
	conf       func(addr string) string
	generation int
	cmd        *exec.Cmd
	over       chan struct{} // closed when the master process has ended
}

// Start runs an nginx whose http block holds what conf returns for an address
// to listen on, and returns when it answers. Where the program is missing the
// test is skipped, or fails when CI is true.
func Start(t testing.TB, conf func(addr string) string) *Server {
	t.Helper()
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary, err = exec.LookPath("/usr/sbin/nginx") // not in every user's PATH
	}
	if err != nil {
		const install = "nginx is not installed: apt-get install nginx, or run scripts/test"
		if os.Getenv("CI") == "true" {
			t.Fatal(install)
		}
		t.Skip(install)
	}
	// t.TempDir is too long: the name of a Unix socket has at most 107 bytes.
	dir, err := os.MkdirTemp("", "rn")
	if err != nil {
		t.Fatalf("make directory for nginx: %v", err)
	}
	s := &Server{t: t, binary: binary, dir: dir, conf: conf}
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove nginx: %v", err)
		}
	})
	// Between the choice of a port and nginx's use of it another may take it.
	for range 5 {
		if err = s.start(); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		t.Fatalf("start nginx: %v\n%s", err, s.ErrorLog())
	}
	return s
}

var errPortTaken = errors.New("the port is taken")

func (s *Server) start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.addr = l.Addr().String()
	s.URL = "http://" + s.addr
	if err := l.Close(); err != nil {
		return err
	}
	if err := s.configure(); err != nil {
		return err
	}
	s.cmd = exec.Command(s.binary, "-p", s.dir, "-c", s.file("nginx.conf"), "-e", s.file("error.log"))
	if s.over, err = fork(s.cmd); err != nil {
		return err
	}
	return s.await(func() bool { return s.current() == s.generation })
}

// configure writes the next generation of the configuration. A socket of its
// own tells which one is in force.
func (s *Server) configure() error {
	s.generation++
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // temporary directories are for their owner alone
	}
	text := fmt.Sprintf(`%s
daemon off;
pid nginx.pid;
error_log error.log notice;
worker_processes 2;
events { worker_connections 256; }
http {
	access_log access.log;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	server {
		listen unix:%s;
		access_log off;
		location / { return 200 "%d"; }
	}
%s
}
`, user, s.file("ctl"), s.generation, s.conf(s.addr))
	return os.WriteFile(s.file("nginx.conf"), []byte(text), 0o600)
}

// Reload makes nginx read conf again, and returns when only workers that have
// read it are left.
func (s *Server) Reload(conf func(addr string) string) {
	s.t.Helper()
	s.conf = conf
	old := s.workers()
	err := s.configure()
	if err == nil {
		err = s.cmd.Process.Signal(syscall.SIGHUP)
	}
	if err == nil {
		err = s.await(func() bool { return s.current() == s.generation && !overlap(old, s.workers()) })
	}
	if err != nil {
		s.t.Fatalf("reload nginx: %v\n%s", err, s.ErrorLog())
	}
}

// Stop ends nginx. It is no error when it is over.
func (s *Server) Stop() {
	s.t.Helper()
	if s.over == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.over:
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Kill()
		<-s.over
		s.t.Errorf("nginx did not end within %v", stopTimeout)
	}
}

// AccessLog returns what nginx has logged of requests so far. A request is
// logged after its answer was sent.
func (s *Server) AccessLog() string { return s.read("access.log") }

// ErrorLog returns what nginx has logged otherwise, from notice upward.
func (s *Server) ErrorLog() string { return s.read("error.log") }

func (s *Server) file(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) read(name string) string {
	b, _ := os.ReadFile(s.file(name)) // there is none before nginx has started
	return string(b)
}

// current asks which generation of the configuration answers; 0 for none.
func (s *Server) current() (generation int) {
	client := http.Client{
		Timeout: time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", s.file("ctl"))
			},
		},
	}
	resp, err := client.Get("http://ctl/")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	_, _ = fmt.Sscan(string(b), &generation)
	return generation
}

func (s *Server) workers() []string {
	pid := s.cmd.Process.Pid
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	return strings.Fields(string(b))
}

func overlap(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

// await looks every few milliseconds until done says so, or nginx has ended.
func (s *Server) await(done func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(startTimeout)
	for !done() {
		select {
		case <-tick.C:
		case <-timeout:
			return errors.New("it took too long")
		case <-s.over:
			if strings.Contains(s.ErrorLog(), "Address already in use") {
				return errPortTaken
			}
			return fmt.Errorf("it ended: %v", s.cmd.ProcessState)
		}
	}
	return nil
}

// fork starts cmd so that it ends at the latest when this program does: the
// kernel sends SIGTERM to nginx's master, which ends its workers, when the
// thread that forked it ends. One goroutine keeps the thread until then.
func fork(cmd *exec.Cmd) (over chan struct{}, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	over = make(chan struct{})
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // however it ended, it has
			close(over)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return over, nil
}
