package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// takeFolder makes this process's folder and locks it.
func (s *Spool) takeFolder() error {
	return s.alone(func() (err error) {
		if s.own, err = os.MkdirTemp(s.cfg.Dir, ""); err != nil {
			return err
		}
		if err := syncDir(s.cfg.Dir); err != nil {
			return err
		}
		if s.lock, err = os.Open(s.own); err != nil {
			return err
		}
		return flock(s.lock, syscall.LOCK_EX|syscall.LOCK_NB)
	})
}

// alone runs f while no other process takes a folder, its own or a dead one's:
// between making a folder and locking it, it would look like a dead one's.
func (s *Spool) alone(f func() error) error {
	all, err := os.Open(s.cfg.Dir)
	if err != nil {
		return err
	}
	defer all.Close()
	if err := flock(all, syscall.LOCK_EX); err != nil {
		return err
	}
	return f()
}

// Adopt takes over the segments of processes that have died. It is cheap when
// there are none, so it may be called every few seconds.
func (s *Spool) Adopt() error {
	err := s.alone(func() error {
		entries, err := os.ReadDir(s.cfg.Dir)
		if err != nil {
			return err
		}
		var errs []error
		for _, e := range entries {
			dir := filepath.Join(s.cfg.Dir, e.Name())
			if e.IsDir() && dir != s.own {
				errs = append(errs, s.adoptFolder(dir))
			}
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return fmt.Errorf("take over spool: %w", err)
	}
	return nil
}

// adoptFolder moves the segments of a folder that nobody locks into our own. A
// crash in here leaves each of them in one of the two.
func (s *Spool) adoptFolder(dir string) error {
	lock, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := flock(lock, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil // it lives
		}
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		seg, damaged, err := scan(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(dir, e.Name()), filepath.Join(s.own, e.Name())); err != nil {
			return err
		}
		s.add(seg, damaged)
	}
	if len(entries) > 0 {
		if err := errors.Join(syncDir(s.own), lock.Sync()); err != nil {
			return err
		}
	}
	return os.Remove(dir)
}

// add puts a segment that was taken over before all that are younger.
func (s *Spool) add(seg *segment, damaged int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := slices.BinarySearchFunc(s.segments, seg.name, func(x *segment, name string) int { return strings.Compare(x.name, name) })
	if n := len(s.segments); i == n && n > 0 {
		i = n - 1 // the last one may be active, and stays the last
	}
	s.segments = slices.Insert(s.segments, i, seg)
	s.size.Records += seg.records
	s.size.Bytes += seg.size
	s.size.Damaged += damaged
}

// scan counts the records of a segment that another process has written.
func scan(name string) (seg *segment, damaged int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	seg = &segment{name: filepath.Base(name)}
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		seg.size += int64(len(line))
		if _, ok := decode(line); ok {
			seg.records++
		} else if len(line) > 0 {
			damaged++
		}
		if errors.Is(err, io.EOF) {
			return seg, damaged, nil
		}
		if err != nil {
			return nil, 0, err
		}
	}
}

// flock repeats the call that a signal interrupted.
func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
