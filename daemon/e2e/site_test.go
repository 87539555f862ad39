package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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
	conf := s.run("nginx", "--server")
	listen := regexp.MustCompile(`(?m)^\tlisten \d+;$`)
	if n := len(listen.FindAllString(conf, -1)); n != 1 {
		s.t.Fatalf("%d times %s in\n%s", n, listen, conf)
	}
	return listen.ReplaceAllString(conf, "\tlisten "+addr+";")
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

// ask asks admin, as the commands do, without a process of its own. While Redis
// is slow Rebake answers after two seconds that it does not know; then it is
// asked again.
func (s *site) ask(path string, to any) {
	s.t.Helper()
	var err error
	if _, known := await(hung, func() bool {
		err = s.askOnce(path, to)
		return err == nil
	}); !known {
		s.t.Fatal(err)
	}
}

func (s *site) askOnce(path string, to any) error {
	req, err := http.NewRequest(http.MethodGet, "http://"+s.admin+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.adminToken())
	a, err := stranger().try(req)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("%s: %s", path, a)
	}
	return json.Unmarshal([]byte(a.body), to)
}

// explain is what `rebake explain` tells of a page.
func (s *site) explain(path string) (e api.Explanation) {
	s.t.Helper()
	s.ask("/v1/explain?path="+url.QueryEscape(path), &e)
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

// status is what `rebake status` tells.
func (s *site) status() (now api.Status) {
	s.t.Helper()
	s.ask("/v1/status", &now)
	return now
}

// awaitCalm waits until nothing is owed any more.
func (s *site) awaitCalm(t *testing.T) {
	t.Helper()
	var now api.Status
	took, calm := await(2*hung, func() bool { // a page may wait two minutes for its CMS
		now = s.status()
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

// givenPorts are those that freePort has given to this process.
var givenPorts sync.Map

// freePort returns a free address on the loopback. It is used a while later, when
// a database is there or an app is built, so it is none of those that the kernel
// gives meanwhile to other tests: they begin at 32768.
func freePort(t *testing.T) string {
	t.Helper()
	const first, end = 20000, 32000
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(end-first))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue // somebody has it
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, given := givenPorts.LoadOrStore(addr, true); !given {
			return addr
		}
	}
	t.Fatalf("no port from %d to %d is free", first, end)
	return ""
}
