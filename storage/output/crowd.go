package output

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// crowd lets many publishers at once pay for the disk together: one syncfs in
// the place of an fsync for every file and folder. Where a disk takes a
// millisecond for each, that is most of what a bulk costs. A publisher alone
// syncs its own files, since syncfs also waits for what others have written.
//
// The rule that an fsync is never repeated (the second one would say that all
// is well) holds here for all of them together: after a syncfs that failed
// nothing that was written before its end is published. Safe for concurrent
// use.
type crowd struct {
	flush func() error // puts the whole file system on disk
	off   bool         // the kernel or the file system does not tell of errors

	mu      sync.Mutex
	here    int       // guarded by mu; publishers under way
	waiting []waiter  // guarded by mu; for the next sync
	syncing bool      // guarded by mu
	failed  uint64    // guarded by mu; syncs that failed
	alone   time.Time // guarded by mu; until then everybody syncs alone
}

const (
	// enough publishers at once make a crowd.
	enough = 4
	// tooSlow is a sync that waited for the writes of other programs rather
	// than for ours; for quiet after it everybody syncs alone.
	tooSlow = time.Second
	quiet   = time.Minute
)

// newCrowd takes an open folder of the file system. It has to stay open: the
// kernel tells each open file of an error once.
func newCrowd(disk *os.File) *crowd {
	return &crowd{flush: func() error { return unix.Syncfs(int(disk.Fd())) }, off: !tellsOfErrors(disk)}
}

// tellsOfErrors reports whether syncfs says that something could not be
// written: since Linux 5.8, on file systems that live on a disk of this
// machine.
func tellsOfErrors(disk *os.File) bool {
	var name unix.Utsname
	var major, minor int
	if err := unix.Uname(&name); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); err != nil || major < 5 || major == 5 && minor < 8 {
		return false
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(disk.Fd()), &st); err != nil {
		return false
	}
	switch st.Type {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
}

// ticket is one publisher's. Its files are written between join and the first
// sync.
type ticket struct {
	together bool
	failed   uint64 // when it joined
}

func (c *crowd) join() ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.here++
	return ticket{together: !c.off && c.here >= enough && time.Now().After(c.alone), failed: c.failed}
}

func (c *crowd) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.here--
}

// errSync is the end of everything that was not on disk when a sync failed.
var errSync = errors.New("the file system could not write everything (syncfs); nothing that was on its way is published")

// waiter is who waits for a sync.
type waiter struct {
	ticket
	done chan error
}

// sync returns when all that was done before it is on disk.
func (c *crowd) sync(t ticket) error {
	w := waiter{t, make(chan error, 1)}
	c.mu.Lock()
	c.waiting = append(c.waiting, w)
	if !c.syncing {
		c.syncing = true
		go c.syncAll()
	}
	c.mu.Unlock()
	return <-w.done
}

// syncAll syncs until nobody waits any more; who comes during one sync waits
// for the next.
func (c *crowd) syncAll() {
	for {
		c.mu.Lock()
		batch := c.waiting
		c.waiting = nil
		c.syncing = len(batch) > 0
		c.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		began := time.Now()
		err := c.flush()
		c.tell(batch, err, time.Since(began))
	}
}

// tell answers a batch. Who had written before a sync that failed has failed
// with it, also one who came too late for it.
func (c *crowd) tell(batch []waiter, err error, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed++
		err = fmt.Errorf("%w: %w", errSync, err)
	}
	if took > tooSlow {
		c.alone = time.Now().Add(quiet)
	}
	for _, w := range batch {
		if err == nil && w.failed != c.failed {
			w.done <- errSync
			continue
		}
		w.done <- err
	}
}
