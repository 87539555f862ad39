package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
	"rebake/storage/spool"
)

// openSpool opens what keeps triggers while Redis is away. A queue in memory
// needs none, and a build answers nobody.
func (a *app) openSpool() (*spool.Spool, error) {
	if a.roles.build || a.queue.forgets {
		return nil, nil
	}
	s, err := spool.Open(spool.Config{Dir: filepath.Join(a.cfg.State, "spool"), Limit: a.cfg.Limits.Spool})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, s.Close)
	if n := s.Size(); n.Records > 0 || n.Damaged > 0 {
		a.log.Info("triggers wait in the spool", "triggers", n.Records, "bytes", n.Bytes, "damaged", n.Damaged)
	}
	return s, nil
}

// redisCheck returns what a Redis has to pass before triggers go there. It is
// called by one goroutine at a time.
func (a *app) redisCheck(out *output.Dir, l *ledger.Ledger) func(context.Context) error {
	known := false // the output's owner does not change while this process has it
	return func(ctx context.Context) error {
		if a.queue.run == nil && !a.queue.forgets && !a.queue.trusted && a.cfg.Durability != "relaxed" {
			if err := checkDurability(ctx, a.queue.client); err != nil {
				return err
			}
		}
		if known {
			return nil
		}
		err := a.checkOutput(ctx, out, l)
		known = err == nil
		return err
	}
}

const (
	// buildPatience is how long a build waits for a Redis that may be starting.
	buildPatience = 5 * time.Second
	// servePatience is the same for a server, which can begin without.
	servePatience = time.Second
)

// admit asks Redis whether it may be used, and refuses to start when it may
// not. Of one that is away nobody knows: a server begins without it, and asks
// again each second.
func (a *app) admit(ctx context.Context) error {
	patience := buildPatience
	if a.worker.Spool != nil {
		patience = servePatience
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for started := time.Now(); ; {
		err := a.worker.Admit(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !isTemporary(err):
			return err
		case time.Since(started) < patience:
		case a.worker.Spool != nil:
			a.log.Warn("redis is away, beginning without it", "err", err)
			return nil
		default:
			return fmt.Errorf("redis does not answer: %w", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// isTemporary reports that another attempt may do better.
func isTemporary(err error) bool {
	var temporary *storage.TemporaryError
	return errors.As(err, &temporary)
}
