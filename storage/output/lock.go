package output

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// stripes is how many locks all pages share. Two pages on one stripe wait for
// each other's few file operations, which costs little; one lock file per page
// would leave files behind for ever.
const stripes = 256

// locks lets one publisher at a time touch a page, among all processes that
// use the same state directory. flock does not tell goroutines of one open
// file apart, so a token per stripe does that first. The kernel frees the
// flock of a process that dies.
type locks struct {
	files [stripes]*os.File
	free  [stripes]chan struct{} // holds one token while nobody in this process has the stripe
}

func openLocks(dir string) (*locks, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make locks: %w", err)
	}
	l := new(locks)
	for i := range l.files {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%02x", i)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open lock: %w", err), l.Close())
		}
		l.files[i] = f
		l.free[i] = make(chan struct{}, 1)
		l.free[i] <- struct{}{}
	}
	return l, nil
}

// Close closes the lock files. No lock may be held or waited for.
func (l *locks) Close() error {
	var errs []error
	for _, f := range l.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// acquire waits for the lock of a page until ctx is done, and returns how to
// give it back.
func (l *locks) acquire(ctx context.Context, path string) (release func(), err error) {
	h := fnv.New32a()
	h.Write([]byte(path))
	i := h.Sum32() % stripes
	select {
	case <-l.free[i]:
	case <-ctx.Done():
		return nil, fmt.Errorf("lock page: %w", context.Cause(ctx))
	}
	// Another process holds it for the time of a few file operations, unless it
	// is paused: then the page waits for it, since its rename could come any
	// moment.
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := flock(l.files[i], syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() {
				_ = flock(l.files[i], syscall.LOCK_UN)
				l.free[i] <- struct{}{}
			}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			l.free[i] <- struct{}{}
			return nil, fmt.Errorf("lock page: %w", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			l.free[i] <- struct{}{}
			return nil, fmt.Errorf("lock page: another process is publishing it: %w", context.Cause(ctx))
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
