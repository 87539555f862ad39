// Package presence tells the processes that share a state directory which of
// them has died. Each holds a lock on a file of its own, which the kernel takes
// from it in the moment of its death: nobody has to wait for a lease to end.
//
// It knows nothing of other machines, and of one that stands still it says that
// it lives.
package presence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Presence is one process's place among them. Safe for concurrent use.
type Presence struct {
	dir  string
	name string
	file *os.File // holds the lock
}

// coming is what the name of a file begins with that is not locked yet.
const coming = "."

// Enter takes a place in the directory, which is made when it is missing. The
// name says who it is to the others; it is never used again.
func Enter(dir, name string) (*Presence, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("enter among the processes: %w", err)
	}
	// Under its name only when it is locked, or it would be taken for dead.
	at := filepath.Join(dir, coming+name)
	f, err := os.OpenFile(at, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("enter among the processes: %w", err)
	}
	p := &Presence{dir: dir, name: name, file: f}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		err = os.Rename(at, filepath.Join(dir, name))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("enter among the processes: %w", err), os.Remove(at), f.Close())
	}
	return p, nil
}

// Dead returns the names of those who have died and were not buried.
func (p *Presence) Dead() ([]string, error) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, fmt.Errorf("look for dead processes: %w", err)
	}
	var dead []string
	for _, e := range entries {
		if e.Name() != p.name && !strings.HasPrefix(e.Name(), coming) && unlocked(filepath.Join(p.dir, e.Name())) {
			dead = append(dead, e.Name())
		}
	}
	return dead, nil
}

// unlocked reports whether nobody holds the file. What cannot be found out is
// taken for held.
func unlocked(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close() // and with it the lock
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// Bury makes Dead forget a name: what it has left behind is seen to.
func (p *Presence) Bury(name string) error {
	err := os.Remove(filepath.Join(p.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("bury a dead process: %w", err)
	}
	return nil
}

// Close gives the place up. To the others that is a death like any other: they
// look whether something was left behind.
func (p *Presence) Close() error { return p.file.Close() }
