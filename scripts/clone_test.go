package scripts

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	patience = 60 * time.Second // of a machine that does other things besides
	stopTime = 60 * time.Second
)

// clone is a copy of the tree as git would hand it out, with ports of its own.
// Its methods are for the test's own goroutine.
type clone struct {
	t      *testing.T
	dir    string
	files  []string // in its root, at the beginning
	env    []string
	ports  map[string]string
	client *http.Client

	log  lockedBuffer
	cmd  *exec.Cmd
	over chan error // gets how cmd has ended
}

// newClone copies the tree. Where a program is missing that setup would
// install, the test is skipped, or fails when CI is true.
func newClone(t *testing.T) *clone {
	t.Helper()
	for _, program := range []string{"redis-server", "nginx"} {
		_, err := exec.LookPath(program)
		if err != nil {
			_, err = exec.LookPath("/usr/sbin/" + program) // not in every user's PATH
		}
		if err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed: run scripts/test", program)
		} else if err != nil {
			t.Skipf("%s is not installed: run scripts/setup", program)
		}
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &clone{t: t, dir: dir, ports: make(map[string]string)}
	c.client = &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if err := copyTree("..", dir); err != nil {
		t.Fatal(err)
	}
	c.files = c.root()
	names := []string{"SITE_PORT", "CMS_PORT", "LISTEN_PORT", "ADMIN_PORT", "REDIS_PORT", "ASYNQMON_PORT"}
	c.env = os.Environ()
	for i, port := range freePorts(t, len(names)) {
		c.ports[names[i]] = port
		c.env = append(c.env, names[i]+"="+port)
	}
	return c
}

// freePorts returns ports that are free, and that the kernel gives to nobody
// who asks it for any: theirs begin at 32768.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range 1000 {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(20000+rand.IntN(12000)))
		if err != nil {
			continue
		}
		defer l.Close() // all are held until the last is found
		_, port, _ := net.SplitHostPort(l.Addr().String())
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	t.Fatal("found no free ports")
	return nil
}

// root lists the names in the root.
func (c *clone) root() []string {
	c.t.Helper()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (c *clone) read(name string) string {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

// unignored lists what has come into the root and would be seen by git.
func (c *clone) unignored() []string {
	c.t.Helper()
	ignored, err := readIgnored(c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	return slices.DeleteFunc(c.root(), func(name string) bool {
		return slices.Contains(c.files, name) || slices.Contains(ignored, name)
	})
}

func (c *clone) url(port string) string { return "http://127.0.0.1:" + c.ports[port] }

func (c *clone) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdout, cmd.Stderr = &c.log, &c.log
	return cmd
}

// run runs a script to its end.
func (c *clone) run(script string) {
	c.t.Helper()
	if err := c.command(filepath.Join(c.dir, script)).Run(); err != nil {
		c.t.Fatalf("%s: %v\n%s", script, err, &c.log)
	}
}

// start runs a command as a terminal does, in a process group of its own. The
// end of the test ends it, and whatever it leaves.
func (c *clone) start(name string, args ...string) {
	c.t.Helper()
	c.cmd = c.command(name, args...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.over = make(chan error, 1)
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() {
		err := c.cmd.Wait()
		c.over <- err
		close(c.over)
	}()
	c.t.Cleanup(func() {
		_ = c.interrupt() // mostly for the second time
		for _, p := range c.processes() {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
		if c.t.Failed() {
			c.t.Logf("what it printed:\n%s", &c.log)
		}
	})
}

// interrupt sends what Ctrl-C sends, to the whole group, and returns how the
// command ended.
func (c *clone) interrupt() error {
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGINT) // it may be over
	select {
	case err := <-c.over:
		return err
	case <-time.After(stopTime):
		return fmt.Errorf("it did not end within %v", stopTime)
	}
}

type process struct {
	pid  int
	name string
}

// processes lists those that work in the clone: all that were started there,
// since none of them leaves it.
func (c *clone) processes() []process {
	c.t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		c.t.Fatal(err)
	}
	var found []process
	for _, link := range links {
		dir, err := os.Readlink(link)
		if err != nil || dir != c.dir && !strings.HasPrefix(dir, c.dir+"/") {
			continue // it has ended, or is somebody else's
		}
		proc := filepath.Dir(link)
		pid, _ := strconv.Atoi(filepath.Base(proc))
		name, _ := os.ReadFile(filepath.Join(proc, "comm"))
		found = append(found, process{pid, strings.TrimSpace(string(name))})
	}
	return found
}

// await looks until done says so.
func (c *clone) await(what string, done func() bool) {
	c.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case err := <-c.over:
			c.t.Fatalf("waited for: %s; it ended: %v", what, err)
		case <-late:
			c.t.Fatalf("waited for: %s", what)
		}
	}
}

// get returns a page; status 0 says that nobody answers.
func (c *clone) get(url string) (status int, header http.Header, body string) {
	c.t.Helper()
	res, err := c.client.Get(url)
	if err != nil {
		return 0, nil, ""
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, string(b)
}

// post sends a form, with more headers.
func (c *clone) post(to string, header http.Header, form url.Values) (status int, body string) {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.client.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
