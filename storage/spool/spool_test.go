package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, dir string, limit int64) *Spool {
	t.Helper()
	s, err := Open(Config{Dir: dir, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// die leaves the folder as kill -9 does.
func (s *Spool) die() { _ = s.lock.Close() }

func mustAppend(t *testing.T, s *Spool, records ...string) {
	t.Helper()
	for _, r := range records {
		if err := s.Append([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
}

// drained drains everything.
func drained(t *testing.T, s *Spool) (got []string) {
	t.Helper()
	err := s.Drain(t.Context(), func(_ context.Context, records [][]byte) error {
		for _, r := range records {
			got = append(got, string(r))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantRecords(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestSpool_drainsInOrderAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	mustAppend(t, s, "a", "b", "c")
	if got, want := s.Size().Records, 3; got != want {
		t.Errorf("%d records wait, want %d", got, want)
	}
	wantRecords(t, drained(t, s), "a", "b", "c")
	if got := s.Size(); got != (Size{}) {
		t.Errorf("after the drain %+v waits", got)
	}
	if names := files(t, dir); len(names) > 0 {
		t.Errorf("after the drain there are %v", names)
	}
}

// files are the segments of all processes.
func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*/*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSpool_whatIsNotTakenComesAgain(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	for i := range batchRecords + 2 {
		mustAppend(t, s, fmt.Sprint(i))
	}
	away := errors.New("away")
	calls := 0
	err := s.Drain(t.Context(), func(context.Context, [][]byte) error {
		calls++
		if calls == 2 {
			return away
		}
		return nil
	})
	if !errors.Is(err, away) {
		t.Fatalf("drain = %v, want %v", err, away)
	}
	mustAppend(t, s, "new")
	wantRecords(t, drained(t, s), fmt.Sprint(batchRecords), fmt.Sprint(batchRecords+1), "new")
}

func TestSpool_refusesWhatIsBeyondItsLimit(t *testing.T) {
	s := open(t, t.TempDir(), 100)
	mustAppend(t, s, strings.Repeat("x", 80))
	if err := s.Append([]byte("yyyyyyyyyyyy")); !errors.Is(err, ErrFull) {
		t.Errorf("append = %v, want %v", err, ErrFull)
	}
	drained(t, s)
	mustAppend(t, s, "yyyyyyyyyyyy")
}

func TestSpool_refusesWhatIsNoLine(t *testing.T) {
	s := open(t, t.TempDir(), 1<<30)
	for name, record := range map[string][]byte{"empty": nil, "two lines": []byte("a\nb"), "too large": make([]byte, maxRecord+1)} {
		t.Run(name, func(t *testing.T) {
			if s.Append(record) == nil {
				t.Error("appended")
			}
		})
	}
}

func TestSpool_isTakenOverFromADeadProcess(t *testing.T) {
	dir := t.TempDir()
	dead := open(t, dir, 1<<20)
	mustAppend(t, dead, "a", "b")
	s := open(t, dir, 1<<20)
	if got := s.Size().Records; got != 0 {
		t.Errorf("%d records of a living process taken over", got)
	}
	mustAppend(t, s, "c")
	dead.die()
	if err := s.Adopt(); err != nil {
		t.Fatal(err)
	}
	if got := s.Size().Records; got != 3 {
		t.Errorf("%d records wait, want 3", got)
	}
	wantRecords(t, drained(t, s), "a", "b", "c")
}

func TestSpool_closedWithRecordsIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	mustAppend(t, s, "a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, drained(t, open(t, dir, 1<<20)), "a")
}

func TestSpool_leavesOutATornTail(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut within the last line": func(b []byte) []byte { return b[:len(b)-3] },
		"cut before its newline":   func(b []byte) []byte { return b[:len(b)-1] },
		"zeros behind it":          func(b []byte) []byte { return append(b[:len(b)-2], make([]byte, 50)...) },
		"a bit of it":              func(b []byte) []byte { b[len(b)-2] ^= 1; return b },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			dead := open(t, dir, 1<<20)
			mustAppend(t, dead, "first", "last")
			dead.die()
			for _, name := range files(t, dir) {
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, damage(b), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, dir, 1<<20)
			if got := s.Size(); got.Records != 1 || got.Damaged != 1 {
				t.Errorf("size = %+v, want 1 record and 1 damaged line", got)
			}
			wantRecords(t, drained(t, s), "first")
		})
	}
}

func TestSpool_damageInTheMiddleCostsOneRecord(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	mustAppend(t, s, "one", "two", "three")
	name := files(t, dir)[0]
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Replace(b, []byte("two"), []byte("owt"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, drained(t, s), "one", "three")
	if got := s.Size().Records; got != 0 {
		t.Errorf("%d records wait for ever", got)
	}
}

func TestSpool_appendsOfManyAreAllThere(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 64<<20)
	const senders, each = 50, 20
	long := strings.Repeat("x", 3000) // so that there are several segments
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := range each {
				if err := s.Append(fmt.Appendf(nil, "%d-%d %s", i, j, long)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(files(t, dir)); n < 2 {
		t.Errorf("%d segments, want several", n)
	}
	s.die()
	next := open(t, dir, 64<<20)
	seen := map[string]bool{}
	for _, r := range drained(t, next) {
		seen[r] = true
	}
	if len(seen) != senders*each {
		t.Errorf("%d records came out, want %d", len(seen), senders*each)
	}
}

func TestSpool_appendsWhileItDrains(t *testing.T) {
	s := open(t, t.TempDir(), 64<<20)
	mustAppend(t, s, "0")
	n := 0
	err := s.Drain(t.Context(), func(_ context.Context, records [][]byte) error {
		n += len(records)
		if n < 200 {
			return s.Append(fmt.Append(nil, n))
		}
		return nil
	})
	if err != nil || n != 200 {
		t.Errorf("drained %d, %v, want 200", n, err)
	}
}
