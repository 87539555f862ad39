package ledger

import (
	"context"
	"crypto/rand"
	"fmt"

	"rebake/storage"
)

// ID names this ledger, and no other one: a Redis that was emptied, or another
// database, has another. The first call makes it up.
func (l *Ledger) ID(ctx context.Context) (string, error) {
	key := l.key("id")
	err := l.rdb.SetNX(ctx, key, rand.Text(), 0).Err()
	if err != nil {
		return "", storage.Temporary(fmt.Errorf("name ledger: %w", err))
	}
	id, err := l.rdb.Get(ctx, key).Result()
	if err != nil {
		return "", storage.Temporary(fmt.Errorf("read the ledger's name: %w", err))
	}
	return id, nil
}
