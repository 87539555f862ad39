package output

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"

	"rebake/storage"
)

// childEnv names what this test binary does when a test has started it as a
// process of its own, that can be killed.
const childEnv = "REBAKE_OUTPUT_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "publish":
		publishForEver()
	case "publish on word":
		publishOnWord()
	case "hold":
		holdOpen()
	}
	os.Exit(m.Run())
}

// child prepares this binary to run as one of the children of TestMain.
func child(role string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childEnv+"="+role), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

// site is an open directory and what a ledger would remember of its pages.
type site struct {
	*Dir
	t    *testing.T
	cfg  Config
	prev map[string]storage.Published
}

// newSite opens an output below a new temporary directory.
func newSite(t *testing.T, compress ...string) *site {
	t.Helper()
	base := t.TempDir()
	return openSite(t, Config{Dir: filepath.Join(base, "public"), State: filepath.Join(base, "state"), Compress: compress})
}

func openSite(t *testing.T, cfg Config) *site {
	t.Helper()
	d, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &site{d, t, cfg, make(map[string]storage.Published)}
}

// again opens the same directory with other encodings.
func (s *site) again(compress ...string) *site {
	s.t.Helper()
	cfg := s.cfg
	cfg.Compress = compress
	other := openSite(s.t, cfg)
	other.prev = s.prev
	return other
}

// put publishes as a worker does, and remembers as the ledger does.
func (s *site) put(path, body string) Result {
	s.t.Helper()
	page := page(path, body)
	res, err := s.Publish(s.t.Context(), page, s.prev[path], allow)
	if err != nil {
		s.t.Fatalf("publish %s: %v", path, err)
	}
	s.prev[path] = storage.Published{Hash: page.Hash(), MTime: res.MTime}
	return res
}

func (s *site) take(path string) Result {
	s.t.Helper()
	res, err := s.Remove(s.t.Context(), parse(path), s.prev[path], allow)
	if err != nil {
		s.t.Fatalf("remove %s: %v", path, err)
	}
	s.prev[path] = storage.Published{MTime: res.MTime, Gone: true}
	return res
}

func (s *site) file(name string) string { return filepath.Join(s.cfg.Dir, name) }

func (s *site) read(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(s.file(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

func (s *site) stat(name string) fs.FileInfo {
	s.t.Helper()
	info, err := os.Lstat(s.file(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return info
}

// names lists all files and folders of the output, folders with a slash.
func (s *site) names() string {
	s.t.Helper()
	var list []string
	err := filepath.WalkDir(s.cfg.Dir, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(s.cfg.Dir, path)
		switch {
		case err != nil:
			return err
		case name == ".":
		case e.IsDir():
			list = append(list, name+"/")
		default:
			list = append(list, name)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(list, " ")
}

// wantNames compares with the space-separated list of all names.
func (s *site) wantNames(want string) {
	s.t.Helper()
	if got := s.names(); got != want {
		s.t.Errorf("output holds\n %s, want\n %s", got, want)
	}
}

// staged counts the files that are left in this process's staging.
func (s *site) staged() int {
	s.t.Helper()
	list, err := filepath.Glob(filepath.Join(s.staging, "*", "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(list)
}

func (s *site) write(name, body string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.file(name)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.file(name), []byte(body), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) date(name string, at time.Time) {
	s.t.Helper()
	if err := os.Chtimes(s.file(name), at, at); err != nil {
		s.t.Fatal(err)
	}
}

func allow(context.Context, bool) error { return nil }

// keepForeign is the fence of a ledger that knows no page.
func keepForeign(_ context.Context, exists bool) error {
	if exists {
		return storage.ErrForeign
	}
	return nil
}

func parse(path string) storage.Path {
	p, err := storage.ParsePath(path)
	if err != nil {
		panic(err)
	}
	return p
}

func page(path, body string) storage.Page {
	return storage.Page{Path: parse(path), Type: "text/html; charset=utf-8", Body: []byte(body)}
}

// text makes a page of about size bytes in which every line names the version.
func text(version, size int) string {
	line := fmt.Sprintf("<p>version %08d of a page that is long enough for a sidecar</p>\n", version)
	return strings.Repeat(line, size/len(line)) + "</html>\n"
}

// wantSidecar checks that the encoded file holds the page's bytes.
func (s *site) wantSidecar(file, suffix string) {
	s.t.Helper()
	got, err := decode(s.file(file+suffix), suffix)
	if err != nil {
		s.t.Fatal(err)
	}
	if got != s.read(file) {
		s.t.Errorf("%s%s does not hold the bytes of its page", file, suffix)
	}
}

func decode(file, suffix string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var r io.Reader = brotli.NewReader(bytes.NewReader(b))
	if suffix == ".gz" {
		if r, err = gzip.NewReader(bytes.NewReader(b)); err != nil {
			return "", err
		}
	}
	plain, err := io.ReadAll(r)
	return string(plain), err
}

func inode(info fs.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

func wantTemporary(t *testing.T, err error) {
	t.Helper()
	var temporary *storage.TemporaryError
	if !errors.As(err, &temporary) {
		t.Errorf("error %v, want a temporary one", err)
	}
}
