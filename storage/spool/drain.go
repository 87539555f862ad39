package spool

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Records and bytes that Drain holds in memory at a time; one record may be
// larger than that.
const (
	batchRecords = 64
	batchBytes   = 1 << 20
)

// Drain gives the records to take, the oldest first, a few at a time, until
// nothing waits or take returns an error, which Drain returns. Those of a call
// of take that succeeded do not come again, unless the process dies before the
// segment ends; those of one that failed do. What is appended meanwhile is
// drained as well. One Drain runs at a time; a second one waits for the first.
func (s *Spool) Drain(ctx context.Context, take func(context.Context, [][]byte) error) error {
	s.drain.Lock()
	defer s.drain.Unlock()
	for {
		seg := s.oldest()
		if seg == nil {
			return nil
		}
		if err := s.drainSegment(ctx, seg, take); err != nil {
			return fmt.Errorf("drain spool: %w", err)
		}
	}
}

// oldest returns the first segment, to which nothing is appended any more.
func (s *Spool) oldest() *segment {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) == 0 {
		return nil
	}
	if len(s.segments) == 1 && s.active != nil {
		_ = s.active.Close() // all of it was fsynced
		s.active = nil
	}
	return s.segments[0]
}

func (s *Spool) drainSegment(ctx context.Context, seg *segment, take func(context.Context, [][]byte) error) error {
	name := filepath.Join(s.own, seg.name)
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(seg.read, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewReader(f)
	for end := false; !end; {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		var records [][]byte
		var read int64
		if records, read, err = readBatch(lines); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		end = err != nil
		if len(records) > 0 {
			if err := take(ctx, records); err != nil {
				return err
			}
		}
		s.mu.Lock()
		seg.read += read
		seg.records -= len(records)
		s.size.Records -= len(records)
		s.mu.Unlock()
	}
	return s.remove(seg)
}

// readBatch returns the next records and how many bytes they took; io.EOF with
// the last ones. What is damaged is left out.
func readBatch(lines *bufio.Reader) (records [][]byte, read int64, err error) {
	for len(records) < batchRecords && read < batchBytes {
		var line []byte
		line, err = lines.ReadBytes('\n')
		read += int64(len(line))
		if record, ok := decode(line); ok {
			records = append(records, record)
		}
		if err != nil {
			break
		}
	}
	return records, read, err
}

// remove takes away a segment whose records all were taken. After a power cut
// it may be there again, which does no harm.
func (s *Spool) remove(seg *segment) error {
	if err := os.Remove(filepath.Join(s.own, seg.name)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = slices.DeleteFunc(s.segments, func(x *segment) bool { return x == seg })
	s.size.Bytes -= seg.size
	// What a failed batch has left was drained and not counted, and what the
	// disk has damaged the other way round.
	s.size.Records -= seg.records
	return nil
}
