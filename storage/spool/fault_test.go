package spool

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

var errDisk = errors.New("input/output error")

// badFile fails as it is told to, each time a file of the disk that it is on is
// used.
type badFile struct {
	file
	disk *badDisk
}

// badDisk counts how often its faults have fired.
type badDisk struct {
	write, sync, make int // how many of the next calls fail
	fired             int
	syncs             map[*badFile]int // of files whose fsync has failed
}

func (d *badDisk) fail(left *int) error {
	if *left == 0 {
		return nil
	}
	*left--
	d.fired++
	return errDisk
}

func (d *badDisk) create(name string) (file, error) {
	if err := d.fail(&d.make); err != nil {
		return nil, err
	}
	f, err := create(name)
	return &badFile{f, d}, err
}

func (f *badFile) Write(b []byte) (int, error) {
	if err := f.disk.fail(&f.disk.write); err != nil {
		n, _ := f.file.Write(b[:len(b)/2])
		return n, err
	}
	return f.file.Write(b)
}

func (f *badFile) Sync() error {
	if _, again := f.disk.syncs[f]; again {
		f.disk.syncs[f]++
	}
	if err := f.disk.fail(&f.disk.sync); err != nil {
		f.disk.syncs[f] = 0
		return err
	}
	return f.file.Sync()
}

func TestSpool_oneFaultIsSurvivedInAnotherFile(t *testing.T) {
	for name, disk := range map[string]*badDisk{"write": {write: 1}, "fsync": {sync: 1}, "create": {make: 1}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, 1<<20)
			disk.syncs = map[*badFile]int{}
			s.make = disk.create
			mustAppend(t, s, "a")
			if disk.fired != 1 {
				t.Fatal("the fault did not fire")
			}
			mustAppend(t, s, "b")
			for _, n := range disk.syncs {
				if n > 0 {
					t.Error("a file was fsynced again after its fsync had failed")
				}
			}
			s.die()
			got := drained(t, open(t, dir, 1<<20))
			if len(got) < 2 || got[0] != "a" || got[len(got)-1] != "b" {
				t.Errorf("drained %q, want a, perhaps twice, and b", got)
			}
		})
	}
}

func TestSpool_tellsOfADiskThatDoesNotWork(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	mustAppend(t, s, "a")
	disk := &badDisk{make: 2, syncs: map[*badFile]int{}}
	s.make = disk.create
	_ = s.active.Close()
	s.active = nil
	if err := s.Append([]byte("b")); !errors.Is(err, errDisk) || disk.fired != 2 {
		t.Errorf("append = %v with %d faults, want %v", err, disk.fired, errDisk)
	}
	if got := s.Size().Records; got != 1 {
		t.Errorf("%d records wait, want 1", got)
	}
	mustAppend(t, s, "c")
	wantRecords(t, drained(t, s), "a", "c")
}

func TestOpen_saysWhereItCannotBegin(t *testing.T) {
	dir := t.TempDir() + "/spool"
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Config{Dir: dir, Limit: 1 << 20})
	var where *fs.PathError
	if !errors.As(err, &where) {
		t.Errorf("open = %v, want an error with the path", err)
	}
}
