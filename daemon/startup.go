package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"syscall"

	"rebake/daemon/config"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
)

// What is looked at before anything is served or published. Each refusal says
// what to do: the line of the config to change, or the command to run.

// checkOpenFiles refuses a limit on open files with which hardly a visitor
// would come through, and no page.
func checkOpenFiles(cfg *config.Config) error {
	// The locks of the output, Redis, listeners and some visitors, and the
	// files and requests of each render.
	const fixed, perWorker = 384, 8
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("ask for the limit on open files: %w", err)
	}
	need := uint64(fixed + perWorker*cfg.Workers)
	if limit.Cur >= need {
		return nil
	}
	return cfg.Wrap(fmt.Errorf("workers: %d need %d open files, and the limit is %d: raise it (LimitNOFILE=65536 in a systemd unit, `ulimit -n 65536` in a shell)",
		cfg.Workers, need, limit.Cur))
}

// openOutput opens the output directory.
func (a *app) openOutput() (*output.Dir, error) {
	out, err := output.Open(output.Config{
		Dir: a.cfg.Output, State: a.cfg.State, Compress: a.cfg.Compress, Adopt: a.queue.forgets, FreeSpace: a.cfg.Limits.FreeSpace,
	})
	if err != nil {
		return nil, explainOpen(a.cfg, err)
	}
	return out, nil
}

// explainOpen names the line of the config that an error is about.
func explainOpen(cfg *config.Config, err error) error {
	if errors.Is(err, syscall.EXDEV) {
		return cfg.Wrap(fmt.Errorf("state: %w", err))
	}
	return err
}

// checkOutput makes the output this site's, and refuses one that is somebody
// else's, or that has lost its pages. The ledger has been opened. An error that
// is a *storage.TemporaryError says that Redis could not be asked.
func (a *app) checkOutput(ctx context.Context, out *output.Dir, l *ledger.Ledger) error {
	o := output.Owner{Site: host(a.cfg.Site)}
	if !a.queue.forgets {
		id, err := l.ID(ctx)
		if err != nil {
			return err
		}
		o.Ledger, o.Redis = id, redisPlace(a.cfg)
	}
	if !a.roles.adopt {
		if err := out.Owned(o); err != nil {
			return explainOwned(a.cfg, err)
		}
		if !a.roles.rebuild {
			if err := checkPages(ctx, out, l); err != nil {
				return err
			}
		}
	}
	switch err := out.Claim(o, a.roles.adopt); {
	case errors.Is(err, output.ErrUnmarked):
		a.log.Warn("another rebake that is given this output by mistake will not notice", "output", a.cfg.Output, "err", err)
		return nil
	default:
		return explainOwned(a.cfg, err)
	}
}

// explainOwned says what to do about an output that is somebody else's.
func explainOwned(cfg *config.Config, err error) error {
	var owned *output.OwnedError
	if !errors.As(err, &owned) {
		return err
	}
	by := owned.By
	const gone = "; if that is gone for good, `rebake build --adopt` takes the output over"
	switch {
	case by.Site != host(cfg.Site):
		return cfg.Wrap(fmt.Errorf("output: %s holds the pages of %s: give this site a directory of its own%s", cfg.Output, by.Site, gone))
	case by.Ledger != "" && by.Dir == cfg.State:
		return cfg.Wrap(fmt.Errorf("redis: the pages in %s are known to another Redis (%s): name that one here%s", cfg.Output, by.Redis, gone))
	}
	return cfg.Wrap(fmt.Errorf("state: another rebake, with the state %s and the Redis %s, publishes into %s: name the same state and Redis, or another output%s",
		by.Dir, by.Redis, cfg.Output, gone))
}

// redisPlace says where the ledger is, without a password.
func redisPlace(cfg *config.Config) string {
	u, err := url.Parse(cfg.Redis)
	if err != nil || cfg.Redis == "" {
		return filepath.Join(cfg.State, "redis")
	}
	place := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if db := u.Query().Get("db"); db != "" {
		place.RawQuery = "db=" + url.QueryEscape(db)
	}
	return place.String()
}

const (
	// sampled is how many published pages are looked for at the start.
	sampled = 50
	// enoughLost is how many of them have to be missing, when none is there,
	// in an output that holds something else. Of an empty one a single page is
	// enough.
	enoughLost = 5
	// surelyLost is how many count although a trigger waits for them: a crash
	// leaves no more pages than this half-way through their removal.
	surelyLost = 20
)

// checkPages refuses an output that holds none of the pages that the ledger
// knows: its disk is not mounted, or they are lost. Publishing into it would
// fill the mount point.
func checkPages(ctx context.Context, out *output.Dir, l *ledger.Ledger) error {
	missing, settled, err := missingPages(ctx, out, l)
	if err != nil || missing == 0 {
		return err
	}
	empty, err := out.Empty()
	if err != nil {
		return err
	}
	need := enoughLost
	if empty {
		need = 1
	}
	if settled < need && missing < surelyLost {
		return nil
	}
	return fmt.Errorf("output %s holds none of the pages that the ledger knows: mount its disk; if they are lost, make them again with `rebake build --rebuild`", out.Path())
}

// missingPages returns how many of some published pages have no file, and how
// many of those wait for nothing; 0 when one of them has its file.
func missingPages(ctx context.Context, out *output.Dir, l *ledger.Ledger) (missing, settled int, err error) {
	for after, at := "", 0; at < sampled; at++ {
		states, next, err := l.List(ctx, ledger.Query{Label: ledger.Site, After: after, Limit: sampled})
		if err != nil {
			return 0, 0, err
		}
		for _, s := range states {
			if s.Page == nil || s.Page.Gone {
				continue
			}
			there, err := hasFile(out, s.Path)
			if err != nil || there {
				return 0, 0, err
			}
			missing++
			if s.Owed == nil {
				settled++
			}
		}
		if missing >= sampled || next == "" {
			break
		}
		after = next
	}
	return missing, settled, nil
}

func hasFile(out *output.Dir, p storage.Path) (bool, error) {
	f, _, err := out.Open(p)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}
