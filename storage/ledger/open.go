package ledger

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// New returns a ledger without asking Redis anything. Check has to have
// succeeded once before it is used.
func New(rdb redis.UniversalClient, cfg Config) (*Ledger, error) {
	s, err := loadScripts()
	if err != nil {
		return nil, err
	}
	return &Ledger{cfg: cfg, rdb: rdb, batches: newBatches(rdb), scripts: s, process: rand.Text()[:10]}, nil
}

// Open is New and Check.
func Open(ctx context.Context, rdb redis.UniversalClient, cfg Config) (*Ledger, error) {
	l, err := New(rdb, cfg)
	if err == nil {
		err = l.Check(ctx)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Check reports whether the database answers, takes writes, is this site's,
// and of a schema that this version understands. What may be better at another
// time is a *storage.TemporaryError. In a ledger that is there it changes
// nothing, so it may be asked often.
func (l *Ledger) Check(ctx context.Context) error {
	// Each is a write that Redis refuses while it refuses writes, and that
	// costs it nothing when the key is there.
	const owner = "rebake:site"
	if err := l.rdb.SetNX(ctx, owner, l.cfg.Site, 0).Err(); err != nil {
		return errNotOpen(err)
	}
	switch site, err := l.rdb.Get(ctx, owner).Result(); {
	case err != nil:
		return errNotOpen(err)
	case site != l.cfg.Site:
		return fmt.Errorf("open ledger: this Redis database belongs to the site %s; give %s a database of its own, such as redis://…/1", site, l.cfg.Site)
	}
	key := l.key("schema")
	if err := l.rdb.SetNX(ctx, key, schema, 0).Err(); err != nil {
		return errNotOpen(err)
	}
	switch found, err := l.rdb.Get(ctx, key).Int(); {
	case err != nil:
		return errNotOpen(err)
	case found > schema:
		return fmt.Errorf("open ledger: its schema is %d and this rebake knows %d: run a newer rebake", found, schema)
	}
	return nil
}

func errNotOpen(err error) error { return storage.Temporary(fmt.Errorf("open ledger: %w", err)) }
