package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Lab is where one scenario runs: a directory of its own, the program under
// test, and what has to be ended at the end. Its methods are safe for
// concurrent use.
type Lab struct {
	Dir     string // the scenario's own, removed after it has passed
	Program string // rebake
	Long    bool   // run at full size
	Rand    *rand.Rand

	log     io.Writer
	started time.Time

	mu   sync.Mutex
	undo []func() // guarded by mu
}

func newLab(dir, program string, long bool, seed uint64, log io.Writer) *Lab {
	return &Lab{
		Dir: dir, Program: program, Long: long, log: log, started: time.Now(),
		Rand: rand.New(rand.NewPCG(seed, 1)), // one goroutine of a scenario may use it
	}
}

// Path is a file in the lab's directory.
func (l *Lab) Path(name ...string) string {
	return filepath.Join(append([]string{l.Dir}, name...)...)
}

// Size is short or long, by the form that runs.
func (l *Lab) Size(short, long int) int {
	if l.Long {
		return long
	}
	return short
}

// Say tells whoever watches how far the scenario is.
func (l *Lab) Say(format string, args ...any) {
	fmt.Fprintf(l.log, "  %5.1fs  %s\n", time.Since(l.started).Seconds(), fmt.Sprintf(format, args...))
}

// OnClose has something done at the end of the scenario, the last first.
func (l *Lab) OnClose(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.undo = append(l.undo, f)
}

// close ends everything that the scenario has started.
func (l *Lab) close() {
	l.mu.Lock()
	undo := l.undo
	l.undo = nil
	l.mu.Unlock()
	for _, f := range slices.Backward(undo) {
		f()
	}
}

// Write writes files, by their names below a directory.
func Write(dir string, files map[string]string) error {
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// FreeAddr is an address of this machine that nobody listens on.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
