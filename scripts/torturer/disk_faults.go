package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// diskFault is what can happen to the disk of output and state.
type diskFault struct {
	mkfs []string // options
	own  bool     // Redis is Rebake's own, on the same disk
	// hurt begins the fault, and returns when it was seen to have begun.
	hurt func(context.Context, *diskSite) error
	// heal ends it.
	heal func(context.Context, *diskSite) error
	// blind says that nobody can look at the pages meanwhile.
	blind bool
}

var diskFaults = map[string]diskFault{
	"full":                {hurt: fillDisk, heal: emptyDisk},
	"full-all":            {hurt: fillDisk, heal: emptyDisk, own: true},
	"no-inodes":           {mkfs: []string{"-N", "4000"}, hurt: takeInodes, heal: emptyDisk},
	"fsync-eio":           {hurt: failFsync, heal: endFsync},
	"read-only":           {hurt: abortDisk, heal: repairDisk},
	"unmounted":           {hurt: unmountDisk, heal: mountAgain, blind: true},
	"restarted-unmounted": {hurt: restartUnmounted, heal: mountAndStart, blind: true},
}

// diskSite is a site on a disk that goes wrong.
type diskSite struct {
	diskFault
	lab    *Lab
	disk   *Disk
	source *Source
	judge  *Judge
	load   Load
	server *Server
	strace *Process // while fsyncs fail
	stop   func()   // of the readers
	bare   []string // what lay below the mount point before the fault
	faults int
	next   int // number of the last trigger
	lost   int
	notes  []string
}

const diskPages = 120 // half of them are published before the fault

// diskScenario has a disk go wrong under a running Rebake, some times, while
// triggers come in. Meanwhile the last good pages stay, and whole; every
// trigger that was answered with 200 is met within seconds after the disk is
// well again, and nobody has sent it a second time.
func diskScenario(name string, short, long int) func(context.Context, *Lab) (Outcome, error) {
	return func(ctx context.Context, lab *Lab) (Outcome, error) {
		s, err := newDiskSite(ctx, lab, diskFaults[name])
		if err != nil {
			return Outcome{}, err
		}
		s.stop = s.judge.Watch(ctx)
		defer func() { s.stop() }()
		var longest time.Duration
		times := lab.Size(short, long)
		for i := range times {
			if err := s.endure(ctx); err != nil {
				return Outcome{}, err
			}
			took, wrong, err := s.judge.Pay(ctx, s.judge.Debt(), time.Now(), mostMending)
			if err != nil {
				return Outcome{}, err
			}
			longest = max(longest, took)
			lab.Say("fault %d is over, mended in %.1f s, %d pages are not", i+1, took.Seconds(), len(wrong))
			if len(wrong) > 0 {
				break // leave it as it is, to be looked at
			}
		}
		s.stop()
		out, err := s.judge.Verdict(ctx, mostRecovery)
		out.Faults, out.Recovery = s.faults, longest
		out.Lost += s.lost
		out.Notes = append(s.notes, out.Notes...)
		return out, err
	}
}

// mostMending is how long the judge waits for pages when a disk is well again:
// the longest wait between two tries, and some.
const mostMending = 30 * time.Second

func newDiskSite(ctx context.Context, lab *Lab, f diskFault) (*diskSite, error) {
	d, err := lab.NewDisk(ctx, "ext4", "disk", f.mkfs...)
	if err != nil {
		return nil, err
	}
	s := &diskSite{diskFault: f, lab: lab, disk: d, source: lab.NewSource(diskPages)}
	settings := SiteOptions{Source: s.source, Output: filepath.Join(d.At, "public"), State: filepath.Join(d.At, "state")}
	if !f.own {
		redis, err := lab.NewRedis(ctx, "redis", lab.Path("redis"))
		if err != nil {
			return nil, err
		}
		settings.Redis = redis.URL()
	}
	site, err := lab.NewSite(settings)
	if err != nil {
		return nil, err
	}
	s.judge = NewJudge(s.source, settings.Output)
	if s.server, err = site.Serve(ctx); err != nil {
		return nil, err
	}
	s.load = Load{Source: s.source, Judge: s.judge, Senders: 4, Send: func(ctx context.Context, path string) error {
		return s.server.Revalidate(ctx, url.Values{"path": {path}})
	}}
	for _, path := range s.source.Paths()[:diskPages/2] {
		s.load.One(ctx, path)
	}
	_, wrong, err := s.judge.Pay(ctx, s.judge.Debt(), time.Now(), time.Minute)
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("publish the site at first: %s", wrong[0])
	}
	return s, err
}

// endure is one fault: it begins, triggers come in, it ends.
func (s *diskSite) endure(ctx context.Context) error {
	before := s.judge.Debt()
	if s.blind {
		s.stop()
	}
	if err := s.hurt(ctx, s); err != nil {
		return err
	}
	s.faults++
	s.judge.During(true)
	paths := s.source.Paths()
	for range 30 { // every second one is about a page that is not there yet
		s.next++
		path := paths[s.next*7%diskPages]
		if s.next%10 == 0 {
			s.load.Delete(ctx, path)
		} else {
			s.load.One(ctx, path)
		}
		if err := Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	s.stay(before)
	s.judge.During(false)
	s.stop() // the disk may be away for a moment
	err := s.heal(ctx, s)
	s.stop = s.judge.Watch(ctx)
	return err
}

// stay looks whether the pages of before the fault are there.
func (s *diskSite) stay(before Debt) {
	if s.blind {
		if names := listBelow(s.disk.At); !slices.Equal(names, s.bare) {
			s.miss("below the mount point there was %s, and now there is %s", s.bare, names)
		}
		return
	}
	for path, a := range before {
		if problem := s.judge.problem(path, a); problem != "" {
			s.miss("during the fault: %s: %s", path, problem)
		}
	}
}

func (s *diskSite) miss(format string, args ...any) {
	s.lost++
	if len(s.notes) < mostNotes {
		s.notes = append(s.notes, fmt.Sprintf(format, args...))
	}
}

// listBelow lists what is published in a folder; a state directory may be made
// there by a start that is then refused.
func listBelow(folder string) (names []string) {
	_ = filepath.WalkDir(folder, func(name string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !strings.HasPrefix(name, filepath.Join(folder, "state")) {
			names = append(names, name)
		}
		return nil
	})
	return names
}

// fillDisk leaves no byte on it.
func fillDisk(_ context.Context, s *diskSite) error {
	f, err := os.Create(filepath.Join(s.disk.At, "filler"))
	if err != nil {
		return err
	}
	defer f.Close()
	var end int64
	for size := int64(1 << 30); size >= 512; {
		err := unix.Fallocate(int(f.Fd()), 0, end, size)
		switch {
		case err == nil:
			end += size
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENOSPC):
			size /= 2
		default:
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.disk.At, "filler-2"), make([]byte, 64<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk is not full: %v", err)
	}
	return nil
}

// takeInodes leaves no inode on it.
func takeInodes(_ context.Context, s *diskSite) error {
	folder := filepath.Join(s.disk.At, "filler-inodes")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for i := 0; ; i++ {
		err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), nil, 0o600)
		if errors.Is(err, syscall.ENOSPC) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("take all inodes: %w", err)
		}
	}
}

// emptyDisk gives back what both have taken.
func emptyDisk(_ context.Context, s *diskSite) error {
	fillers, _ := filepath.Glob(filepath.Join(s.disk.At, "filler*"))
	for _, name := range fillers {
		if err := os.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}

// failFsync has every fsync of Rebake fail.
func failFsync(ctx context.Context, s *diskSite) (err error) {
	s.strace, err = inject(ctx, s.lab, s.server, nil, "inject=fsync,fdatasync:error=EIO")
	return err
}

func endFsync(_ context.Context, s *diskSite) error {
	if err := s.strace.Terminate(); err != nil {
		return err
	}
	if !strings.Contains(injected(s.lab), "(INJECTED)") {
		return errors.New("no fsync failed")
	}
	return nil
}

// abortDisk does what ext4 does by itself when its disk fails: it is read-only
// from then on, until it was unmounted.
func abortDisk(ctx context.Context, s *diskSite) error {
	if err := s.disk.Remount(ctx, "abort"); err != nil {
		return err
	}
	// The first that wants to write is told that it cannot.
	err := os.WriteFile(filepath.Join(s.disk.At, "written"), nil, 0o600)
	if !errors.Is(err, syscall.EROFS) && !errors.Is(err, syscall.EIO) {
		return fmt.Errorf("the disk is not read-only: %v", err)
	}
	return nil
}

// repairDisk does what people do then: stop, check, mount, start.
func repairDisk(ctx context.Context, s *diskSite) error {
	_ = s.server.Terminate() // Unmount ends what does not
	if err := s.disk.Unmount(ctx); err != nil {
		return err
	}
	if err := s.disk.Mount(ctx); err != nil {
		return err
	}
	return s.server.Start()
}

// unmountDisk takes the disk away from under Rebake, lazily: what Rebake has
// open it keeps, and finds the bare folder by name.
func unmountDisk(_ context.Context, s *diskSite) error {
	err := s.disk.Detach()
	s.bare = listBelow(s.disk.At)
	return err
}

func mountAgain(ctx context.Context, s *diskSite) error { return s.disk.Mount(ctx) }

// restartUnmounted starts Rebake again while its disk is not there, and it must
// refuse to run.
func restartUnmounted(ctx context.Context, s *diskSite) error {
	if err := s.server.Terminate(); err != nil {
		return err
	}
	if err := s.disk.Unmount(ctx); err != nil {
		return err
	}
	s.bare = listBelow(s.disk.At)
	if err := s.server.Start(); err != nil {
		return err
	}
	ended, err := Poll(ctx, 5*time.Second, func() bool {
		select {
		case <-s.server.Ended():
			return true
		default:
			return false
		}
	})
	if err == nil && !ended {
		s.miss("it runs although the disk of its output is not mounted")
	}
	return err
}

func mountAndStart(ctx context.Context, s *diskSite) error {
	_ = s.server.Terminate() // it should not run
	killThoseIn(s.disk.At)
	if err := s.disk.Mount(ctx); err != nil {
		return err
	}
	return s.server.Start()
}
