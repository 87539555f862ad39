package spool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Append puts a record on disk. A record is one line of text, and not empty.
// ErrFull says that there is no room; after any error the record may come out
// of Drain all the same.
func (s *Spool) Append(record []byte) error {
	if len(record) == 0 || len(record) > maxRecord || bytes.IndexByte(record, '\n') >= 0 {
		return fmt.Errorf("append to spool: a record is one line of at most %d bytes", maxRecord)
	}
	line := encode(record)
	s.mu.Lock()
	if s.size.Bytes+int64(len(line)) > s.cfg.Limit {
		s.mu.Unlock()
		return fmt.Errorf("append to spool: %w: %d bytes of %d", ErrFull, s.size.Bytes, s.cfg.Limit)
	}
	s.size.Bytes += int64(len(line))
	s.size.Records++
	first := s.next == nil
	if first {
		s.next = &batch{done: make(chan struct{})}
	}
	b := s.next
	b.lines.Write(line)
	b.records++
	s.mu.Unlock()
	if first {
		s.write(b)
	}
	<-b.done
	if b.err != nil {
		return fmt.Errorf("append to spool: %w", b.err)
	}
	return nil
}

// write writes a batch, which grows until the one before it is on disk.
func (s *Spool) write(b *batch) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	s.next = nil
	s.mu.Unlock()
	b.err = s.writeLines(b)
	if b.err != nil {
		// An error of the file is an error for good: a second fsync of it would
		// succeed although nothing was written. Another file may do better.
		b.err = s.writeLines(b)
	}
	if b.err != nil {
		s.mu.Lock()
		s.size.Bytes -= int64(b.lines.Len())
		s.size.Records -= b.records
		s.mu.Unlock()
	}
	close(b.done)
}

// writeLines appends a batch to the active segment. After an error there is
// none: what the file holds beyond its last fsync is nobody's.
func (s *Spool) writeLines(b *batch) error {
	seg, err := s.begin()
	if err != nil {
		return err
	}
	_, err = s.active.Write(b.lines.Bytes())
	if err == nil {
		err = s.active.Sync()
	}
	if err != nil {
		err = errors.Join(err, s.active.Close())
		s.active = nil
		s.forgetEmpty(seg)
		return err
	}
	s.mu.Lock()
	seg.size += int64(b.lines.Len())
	seg.records += b.records
	full := seg.size >= segmentSize
	s.mu.Unlock()
	if full {
		_ = s.active.Close() // it is on disk
		s.active = nil
	}
	return nil
}

// begin returns the active segment, a new one if there is none.
func (s *Spool) begin() (*segment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active != nil {
		return s.segments[len(s.segments)-1], nil
	}
	// The names sort by age, those of dead processes as well.
	now := time.Now().UnixNano()
	name := fmt.Sprintf("%020d-%s", now, filepath.Base(s.own))
	if n := len(s.segments); n > 0 && name <= s.segments[n-1].name {
		name = s.segments[n-1].name + "+" // the clock was set back
	}
	f, err := s.make(filepath.Join(s.own, name))
	if err != nil {
		return nil, err
	}
	if err := syncDir(s.own); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(filepath.Join(s.own, name)))
	}
	s.active = f
	seg := &segment{name: name}
	s.segments = append(s.segments, seg)
	return seg, nil
}

// forgetEmpty removes a segment that nothing of was ever put on disk.
func (s *Spool) forgetEmpty(seg *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seg.size > 0 {
		return
	}
	s.segments = s.segments[:len(s.segments)-1]
	_ = os.Remove(filepath.Join(s.own, seg.name))
}
