package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Config says where the records go, and how many.
type Config struct {
	// Dir is the directory that all processes of a site share. It is made when
	// it is missing.
	Dir string
	// Limit is the most bytes that the segments of one process may take, those
	// that it took over included.
	Limit int64
}

// ErrFull says that a record would go beyond Config.Limit.
var ErrFull = errors.New("the spool is full")

// maxRecord is the largest record in bytes, so that a reader knows how much
// memory it needs.
const maxRecord = 4 << 20

// segmentSize is when the next segment is begun, in bytes. What is drained is
// given back to the disk a segment at a time.
const segmentSize = 1 << 20

// Size is how much waits.
type Size struct {
	Records int   `json:"records"`
	Bytes   int64 `json:"bytes"` // of the segments, which are removed as a whole
	// Damaged is how many lines of dead processes were left out, torn by a
	// crash or damaged by the disk.
	Damaged int `json:"damaged,omitempty"`
}

// Spool is one process's part of the directory. Safe for concurrent use.
type Spool struct {
	cfg   Config
	own   string   // folder
	lock  *os.File // of own; its flock says that this process lives
	make  func(name string) (file, error)
	drain sync.Mutex // held by the one Drain

	// writing is held while a batch is written. It is taken before mu.
	writing sync.Mutex
	active  file // guarded by writing; of the last segment, nil when none is open

	mu       sync.Mutex
	next     *batch     // guarded by mu; not written yet
	segments []*segment // guarded by mu; the oldest first
	size     Size       // guarded by mu
}

// segment is one file. Its fields are guarded by Spool.mu.
type segment struct {
	name    string
	size    int64 // bytes
	records int   // that are not drained
	read    int64 // bytes that are drained
}

// file is a segment that is written.
type file interface {
	Write([]byte) (int, error)
	Sync() error
	Close() error
}

// batch is what several callers append at the same time: one fsync does for
// all of them.
type batch struct {
	lines   bytes.Buffer
	records int
	done    chan struct{} // closed when err is set
	err     error
}

// Open takes a folder of its own, and takes over what dead processes left.
func Open(cfg Config) (*Spool, error) {
	s := &Spool{cfg: cfg, make: create}
	if err := makeDir(cfg.Dir); err != nil {
		return nil, fmt.Errorf("make spool: %w", err)
	}
	if err := s.takeFolder(); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	if err := s.Adopt(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// makeDir makes a directory whose entry survives a power cut.
func makeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	err := os.Mkdir(dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// create makes a segment.
func create(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// syncDir puts the entries of a directory on disk.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Size returns how much waits in this process's folder.
func (s *Spool) Size() Size {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// Close gives up the folder. What waits in it is the next process's. No other
// method may be called any more.
func (s *Spool) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	var errs []error
	if s.active != nil {
		errs = append(errs, s.active.Close()) // all of it was fsynced
		s.active = nil
	}
	_ = os.Remove(s.own) // unless something waits
	return errors.Join(append(errs, s.lock.Close())...)
}
