package ledger

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// Templates returns the hash of every template file, by name, as they were
// remembered last; empty when they never were. Triggers were accepted for all
// that had changed until then.
func (l *Ledger) Templates(ctx context.Context) (map[string]string, error) {
	hashes, err := l.rdb.HGetAll(ctx, l.key("templates")).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read templates: %w", err))
	}
	return hashes, nil
}

// RememberTemplates replaces what Templates returns. Whoever finds a change
// calls it when the triggers for it are accepted, and not before: after a
// crash in between, the next one finds the change again.
func (l *Ledger) RememberTemplates(ctx context.Context, hashes map[string]string) error {
	key := l.key("templates")
	_, err := l.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Del(ctx, key)
		if len(hashes) > 0 {
			pipe.HSet(ctx, key, hashes)
		}
		return nil
	})
	if err != nil {
		return storage.Temporary(fmt.Errorf("remember templates: %w", err))
	}
	return nil
}
