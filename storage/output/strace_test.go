package output

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"rebake/storage"
)

// publishOnWord is a child of TestMain: for each version that it reads it
// publishes /a, and says on its output what became of it.
func publishOnWord() {
	d, err := Open(Config{Dir: os.Getenv("DIR"), State: os.Getenv("STATE"), Compress: []string{"gzip"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("open")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		version, _ := strconv.Atoi(lines.Text())
		_, err := d.Publish(context.Background(), page("/a", text(version, 20_000)), storage.Published{}, allow)
		var temporary *storage.TemporaryError
		switch {
		case err == nil:
			fmt.Println("published")
		case errors.As(err, &temporary):
			fmt.Println("again:", err)
		default:
			fmt.Println("never:", err)
		}
	}
	os.Exit(0)
}

// publisher is a running child.
type publisher struct {
	t     *testing.T
	cfg   Config
	pid   int
	words io.Writer
	lines *bufio.Scanner
}

func startPublisher(t *testing.T) *publisher {
	t.Helper()
	base := t.TempDir()
	p := &publisher{t: t, cfg: Config{Dir: filepath.Join(base, "public"), State: filepath.Join(base, "state")}}
	cmd := child("publish on word", "DIR="+p.cfg.Dir, "STATE="+p.cfg.State)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	p.pid, p.words, p.lines = cmd.Process.Pid, in, bufio.NewScanner(out)
	p.wantLine("open")
	return p
}

func (p *publisher) wantLine(want string) {
	p.t.Helper()
	if !p.lines.Scan() || !strings.HasPrefix(p.lines.Text(), want) {
		p.t.Fatalf("the child says %q, want %q", p.lines.Text(), want)
	}
}

// publish lets the child publish a version of /a.
func (p *publisher) publish(version int, want string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.words, version); err != nil {
		p.t.Fatal(err)
	}
	p.wantLine(want)
}

func (p *publisher) wantVersion(want ...int) {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.cfg.Dir, "a/index.html"))
	if err != nil {
		p.t.Fatal(err)
	}
	got := versionOf(string(b))
	for _, w := range want {
		if got == w {
			return
		}
	}
	p.t.Errorf("the page holds version %d, want %v, complete", got, want)
}

// broken runs f while strace makes system calls of the child fail, and returns
// the lines of those that did.
func (p *publisher) broken(inject string, f func(), options ...string) []string {
	p.t.Helper()
	calls, _, _ := strings.Cut(inject, ":")
	log := filepath.Join(p.t.TempDir(), "strace")
	args := append([]string{"-f", "-y", "-p", strconv.Itoa(p.pid), "-o", log, "-e", "trace=" + calls, "-e", "inject=" + inject}, options...)
	cmd := exec.Command(needProgram(p.t, "strace"), args...)
	says, err := cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	lines := bufio.NewScanner(says)
	for lines.Scan() && !strings.Contains(lines.Text(), "attached") {
		if strings.Contains(lines.Text(), "not permitted") {
			_ = cmd.Wait()
			unavailable(p.t, "this user may not trace anything")
		}
	}
	f()
	_ = cmd.Process.Signal(syscall.SIGINT) // it lets the child go
	for lines.Scan() {
	}
	_ = cmd.Wait()
	b, err := os.ReadFile(log)
	if err != nil {
		p.t.Fatal(err)
	}
	hits := regexp.MustCompile(`(?m)^.*\(INJECTED\).*$`).FindAllString(string(b), -1)
	if len(hits) == 0 {
		p.t.Fatalf("nothing was made to fail by %s %v:\n%s", inject, options, b)
	}
	return hits
}

// needProgram finds a program that scripts/test installs.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode()&0o111 != 0 {
			return file
		}
	}
	unavailable(t, name+" is not installed: run scripts/test")
	return ""
}

// unavailable skips a test, but never in CI.
func unavailable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

const (
	fsyncs  = "fsync,fdatasync,sync_file_range"
	renames = "rename,renameat,renameat2"
)

// The second fsync of one file says that all is well, whatever was lost: after
// an error the file is thrown away.
func TestPublish_H97_ErrorAtFsyncOfTheFile(t *testing.T) {
	p := startPublisher(t)
	p.publish(1, "published")
	hits := p.broken(fsyncs+":error=EIO", func() { p.publish(2, "again:") })
	seen := make(map[string]bool)
	for _, hit := range hits {
		_, file, _ := strings.Cut(hit, "<")
		if seen[file] {
			t.Errorf("a file was fsynced again after an error: %s", hit)
		}
		seen[file] = true
	}
	p.wantVersion(1)
	p.publish(2, "published")
	p.wantVersion(2)
	p.wantNothingStaged()
}

// A disk that promises space before it has it is full only now.
func TestPublish_H95_FullDiskAtFsync(t *testing.T) {
	p := startPublisher(t)
	p.publish(1, "published")
	p.broken(fsyncs+":error=ENOSPC", func() { p.publish(2, "again:") })
	p.wantVersion(1)
	p.wantNothingStaged()
	p.publish(2, "published")
	p.wantVersion(2)
}

func TestPublish_H98_ErrorAtRename(t *testing.T) {
	for _, errno := range []string{"EIO", "EACCES"} {
		t.Run(errno, func(t *testing.T) {
			p := startPublisher(t)
			p.publish(1, "published")
			p.broken(renames+":error="+errno, func() { p.publish(2, "again:") })
			p.wantVersion(1)
			p.wantNothingStaged()
			p.publish(2, "published")
			p.wantVersion(2)
		})
	}
}

// A disk with an error is made read-only by the kernel, whoever has files open.
func TestPublish_H101_FileSystemTurnsReadOnly(t *testing.T) {
	p := startPublisher(t)
	p.publish(1, "published")
	p.broken(renames+",unlinkat,mkdirat:error=EROFS", func() { p.publish(2, "again:") })
	if said := p.lines.Text(); !strings.Contains(said, "read-only file system") {
		p.t.Errorf("the reason is %q", said)
	}
	p.wantVersion(1)
	p.publish(2, "published")
	p.wantVersion(2)
}

// The page may be the new one already; it is not done, for all that.
func TestPublish_H98_ErrorAtFsyncOfTheFolder(t *testing.T) {
	p := startPublisher(t)
	p.publish(1, "published")
	p.broken(fsyncs+":error=EIO", func() { p.publish(2, "again:") }, "-P", filepath.Join(p.cfg.Dir, "a"))
	p.wantVersion(1, 2)
	p.publish(2, "published")
	p.wantVersion(2)
}

func TestPublish_H99_RenameThatDidNothing(t *testing.T) {
	p := startPublisher(t)
	p.publish(1, "published")
	p.broken(renames+":retval=0", func() { p.publish(2, "again:") })
	if said := p.lines.Text(); !strings.Contains(said, "says that it was renamed, and it was not") {
		t.Errorf("the reason is %q", said)
	}
	p.wantVersion(1)
	p.publish(2, "published")
	p.wantVersion(2)
}

func TestPublish_H100_ErrorAtClose(t *testing.T) {
	p := startPublisher(t)
	p.publish(1, "published")
	p.broken("close:error=EIO", func() { p.publish(2, "again:") })
	p.wantVersion(1)
	p.publish(2, "published")
	p.wantVersion(2)
}

func (p *publisher) wantNothingStaged() {
	p.t.Helper()
	if list, _ := filepath.Glob(filepath.Join(p.cfg.State, "staging", "*", "*", ".*")); len(list) > 0 {
		p.t.Errorf("staging holds %v", list)
	}
}
