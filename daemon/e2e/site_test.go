package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rebake/api"
	"rebake/daemon/nginx/nginxtest"
)

// secret opens /api/revalidate.
const secret = "a-secret-that-nobody-would-guess"

// site is a site of Rebake behind nginx, in a temporary directory.
type site struct {
	*nginxtest.Server // its URL is the public one
	t                 *testing.T
	dir               string
	binary            string
	listen            string // where nginx asks
	admin             string
	rebake            *program // nil until serve
}

// newSite writes the files, with rebake.yaml completed by config (all but the
// addresses), and starts nginx with what `rebake nginx` prints for them.
func newSite(t *testing.T, config string, files map[string]string) *site {
	t.Helper()
	need(t, "redis-server")
	s := &site{t: t, dir: t.TempDir(), listen: freePort(t), admin: freePort(t)}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.binary = filepath.Join(s.dir, "bin", "rebake") // its name makes it rebake
	if err := os.Mkdir(filepath.Dir(s.binary), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, s.binary); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		s.write(name, text)
	}
	s.Server = nginxtest.Start(t, func(addr string) string {
		s.write("rebake.yaml", fmt.Sprintf("site: http://%s\noutput: ./public\nlisten: %s\nadmin: %s\nsecret: %s\n%s", addr, s.listen, s.admin, secret, config))
		return s.nginxConfig(addr)
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("nginx:\n%s", s.ErrorLog())
		}
	})
	return s
}

// nginxConfig is the server block that Rebake prints, on the test's port.
func (s *site) nginxConfig(addr string) string {
	s.t.Helper()
	const listen = "listen 80;"
	conf := s.run("nginx", "--server")
	if strings.Count(conf, listen) != 1 {
		s.t.Fatalf("no %q in\n%s", listen, conf)
	}
	return strings.Replace(conf, listen, "listen "+addr+";", 1)
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := write(filepath.Join(s.dir, name), text); err != nil {
		s.t.Fatal(err)
	}
}

// write writes a file, and the directories to it.
func write(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o600)
}

// run runs a command of Rebake that has to succeed, and returns its output.
func (s *site) run(args ...string) string {
	s.t.Helper()
	return run(s.t, nil, s.binary, append(args, "--config", filepath.Join(s.dir, "rebake.yaml"))...)
}

// serve starts Rebake, and returns when it is ready.
func (s *site) serve() {
	s.t.Helper()
	s.rebake = start(s.t, nil, s.binary, "serve", "--config", filepath.Join(s.dir, "rebake.yaml"))
	s.rebake.awaitReady(func() bool {
		res, err := http.Get("http://" + s.admin + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// explain returns what Rebake knows of a page.
func (s *site) explain(path string) api.Explanation {
	s.t.Helper()
	var e api.Explanation
	if err := json.Unmarshal([]byte(s.run("explain", path, "--json")), &e); err != nil {
		s.t.Fatal(err)
	}
	return e
}

// adminToken opens admin.
func (s *site) adminToken() string {
	s.t.Helper()
	token, err := os.ReadFile(filepath.Join(s.dir, ".rebake", "admin-token"))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}

// status is what `rebake status` tells, without a process of its own.
func (s *site) status(t *testing.T) (now api.Status) {
	t.Helper()
	req := newRequest(t, http.MethodGet, "http://"+s.admin+"/v1/status", "")
	req.Header.Set("Authorization", "Bearer "+s.adminToken())
	if err := json.Unmarshal([]byte(newVisitor(t).do(t, req).body), &now); err != nil {
		t.Fatal(err)
	}
	return now
}

// awaitCalm waits until nothing is owed any more.
func (s *site) awaitCalm(t *testing.T) {
	t.Helper()
	var now api.Status
	took, calm := await(2*time.Minute, func() bool {
		now = s.status(t)
		return now.Owed == 0 && now.Timers == 0 && len(now.Walks) == 0
	})
	if !calm {
		t.Errorf("after %s there is still work: %+v", took, now)
	}
}

// published are the files of the output, by their paths in it.
func (s *site) published() map[string]string {
	s.t.Helper()
	files := map[string]string{}
	root := filepath.Join(s.dir, "public")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name != root {
			return nil // it went while this was on its way
		}
		if err != nil || d.IsDir() || filepath.Ext(name) == ".gz" {
			return err
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		rel, _ := filepath.Rel(root, name)
		files[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

// file is what is published of a page, "" when nothing is.
func (s *site) file(path string) string {
	for _, index := range []string{"/index.html", "/index.xml", ""} {
		if text, err := os.ReadFile(filepath.Join(s.dir, "public", filepath.FromSlash(path+index))); err == nil {
			return string(text)
		}
	}
	return ""
}

// awaitPage waits until a visitor gets an answer of which ok holds.
func (s *site) awaitPage(t *testing.T, path, what string, atMost time.Duration, ok func(answer) bool) {
	t.Helper()
	var last answer
	if _, in := await(atMost, func() bool { last = get(t, s.URL+path); return ok(last) }); !in {
		t.Errorf("%s: not within %s: %s; the last answer:\n%.2000s", path, atMost, what, last)
	}
}

// awaitFile waits until a page with a text is published. What a visitor gets
// does not say so: where there is an origin, that would answer for it.
func (s *site) awaitFile(t *testing.T, path, text string, atMost time.Duration) {
	t.Helper()
	if _, in := await(atMost, func() bool { return strings.Contains(s.file(path), text) }); !in {
		t.Errorf("no %q in the file of %s within %s", text, path, atMost)
		return
	}
	if path != "/" {
		path += "/" // as WordPress writes them
	}
	if a := get(t, s.URL+path); a.status != http.StatusOK || !strings.Contains(a.body, text) {
		t.Errorf("%s: %q is published, and a visitor gets %.2000s", path, text, a)
	}
}

// awaitWithout waits until a page is published that holds a text no more.
func (s *site) awaitWithout(t *testing.T, path, text string, atMost time.Duration) {
	t.Helper()
	s.awaitPage(t, path, fmt.Sprintf("%q is not in it any more", text), atMost, func(a answer) bool {
		return a.status == http.StatusOK && !strings.Contains(a.body, text)
	})
}

// givenPorts are those that freePort has given to this process: the kernel
// likes to give the same one twice.
var givenPorts sync.Map

// freePort returns a free address on the loopback.
func freePort(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, given := givenPorts.LoadOrStore(addr, true); !given {
			return addr
		}
	}
}
