package ledger

import (
	"context"
	"time"
)

// Announced is the newest version of an item that its CMS has told of.
type Announced struct {
	// Version is as the CMS wrote it.
	Version string
	// At is when it was announced, by Redis' clock.
	At time.Time
}

// Announce records that an item has a version now, so that a render which
// shows an older one is noticed. An older version than the announced one, by
// storage.CompareVersions, changes nothing.
func (l *Ledger) Announce(ctx context.Context, item, version string) error { return nil }

// Announced returns what was announced of the items in the last hour, by
// item.
func (l *Ledger) Announced(ctx context.Context, items []string) (map[string]Announced, error) {
	return nil, nil
}
