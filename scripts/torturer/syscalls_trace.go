package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// sweptCalls are those that files and folders are worked on with. Some are not
// used today: then they are watched for the day that they are.
var sweptCalls = []string{
	"openat", "read", "pread64", "write", "pwrite64", "close", "lseek", "fstat", "newfstatat", "statx", "flock",
	"fchmod", "fchmodat", "utimensat", "fallocate", "ftruncate", "fsync", "fdatasync",
	"renameat", "renameat2", "unlinkat", "mkdirat", "linkat", "symlinkat", "readlinkat", "getdents64",
}

// changingCalls are those of them that change what is on the disk.
var changingCalls = []string{
	"write", "pwrite64", "fchmod", "fchmodat", "utimensat", "fallocate", "ftruncate", "fsync", "fdatasync",
	"renameat", "renameat2", "unlinkat", "mkdirat", "linkat", "symlinkat",
}

// sysCall is the nth call of its name in an operation.
type sysCall struct {
	name   string
	nth    int
	line   string // as strace shows it
	failed bool   // without any fault: it looked for something that is not there
}

// changes reports whether the call changes what is on the disk, or is the last
// to hear of an error that did: the close of a file that was written.
func (c sysCall) changes() bool {
	return slices.Contains(changingCalls, c.name) ||
		c.name == "close" && strings.Contains(c.line, "/staging/") ||
		c.name == "openat" && strings.Contains(c.line, "O_CREAT")
}

// injection is the option of strace that makes the fault happen.
func (c sweepCase) injection() string {
	if c.fault == "KILL" {
		return fmt.Sprintf("inject=%s:signal=KILL:when=%d", c.call.name, c.call.nth)
	}
	return fmt.Sprintf("inject=%s:error=%s:when=%d", c.call.name, c.fault, c.call.nth)
}

// trace is an strace that watches one thread of a process. It counts the calls
// from the moment that it is there.
type trace struct {
	cmd  *exec.Cmd
	file string
}

// startTrace returns when the thread is watched.
func startTrace(program, thread, dir string, options ...string) (*trace, error) {
	t := &trace{file: filepath.Join(dir, "trace")}
	args := []string{"-y", "-o", t.file, "-p", thread, "-e", "trace=" + strings.Join(sweptCalls, ",")}
	for _, o := range options {
		args = append(args, "-e", o)
	}
	t.cmd = exec.Command(program, args...)
	said, err := t.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start strace: %w", err)
	}
	var all []string
	for lines := bufio.NewScanner(said); lines.Scan(); {
		all = append(all, lines.Text())
		if strings.HasSuffix(lines.Text(), " attached") {
			go func() { _, _ = io.Copy(io.Discard, said) }() // until the end of strace
			return t, nil
		}
	}
	_ = t.cmd.Wait()
	return nil, errors.New("strace may not watch a process here: " + strings.Join(all, "; "))
}

// end lets go of the thread and returns what was seen.
func (t *trace) end() (string, error) {
	_ = t.cmd.Process.Signal(syscall.SIGTERM) // it may have ended with the process that it watched
	_ = t.cmd.Wait()
	text, err := os.ReadFile(t.file)
	if err != nil {
		return "", fmt.Errorf("read trace: %w", err)
	}
	return string(text), nil
}

// fired reports whether a trace shows that the fault happened.
func fired(trace string, killed bool) bool {
	if killed {
		return strings.Contains(trace, "+++ killed by SIGKILL")
	}
	return strings.Contains(trace, "(INJECTED)")
}

var (
	callLine  = regexp.MustCompile(`(?m)^(\w+)\((\d+<)?(.*)$`)
	fsyncLine = regexp.MustCompile(`(?m)^f(?:data)?sync\(\d+<([^>]*/staging/[^>]*)>`)
)

// readCalls lists the calls of a trace, without those by which the publisher
// takes its orders and answers.
func readCalls(trace string) (list []sysCall) {
	count := make(map[string]int)
	for _, m := range callLine.FindAllStringSubmatch(trace, -1) {
		name, on := m[1], m[2]
		count[name]++
		if on == "0<" || on == "1<" || on == "2<" {
			continue
		}
		list = append(list, sysCall{name, count[name], m[0], strings.Contains(m[0], " = -1 ")})
	}
	return list
}

// fsyncedTwice names a staged file that was fsynced more than once: each has a
// name of its own, never used again.
func fsyncedTwice(trace string) string {
	seen := make(map[string]bool)
	for _, m := range fsyncLine.FindAllStringSubmatch(trace, -1) {
		if seen[m[1]] {
			return m[1]
		}
		seen[m[1]] = true
	}
	return ""
}

// publisher is a child of this program that does to an output what it is told.
type publisher struct {
	cmd    *exec.Cmd
	orders io.WriteCloser
	says   *bufio.Scanner
	thread string // the one that works
}

var errPublisherEnded = errors.New("the publisher has ended")

// do gives an order and returns the answer, "ok" or an error's text.
func (p *publisher) do(order string) (answer string, err error) {
	if _, err := io.WriteString(p.orders, order+"\n"); err != nil || !p.says.Scan() {
		return "", errPublisherEnded
	}
	return p.says.Text(), nil
}

// mustDo gives an order that has to succeed.
func (p *publisher) mustDo(order string) error {
	answer, err := p.do(order)
	if err == nil && answer != "ok" {
		err = errors.New(answer)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", strconv.Quote(order), err)
	}
	return nil
}

// end lets the publisher end by itself, if it has not.
func (p *publisher) end() {
	_ = p.orders.Close()
	_ = p.cmd.Wait()
}
