package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rebake/storage"
)

const (
	// keepAnnounced is how long one can ask what was announced: longer than
	// anybody waits for a CMS to show what it has told of.
	keepAnnounced = time.Hour
	// mostAnnounced is the most items of which that is known. Without it a
	// page is published as it is read.
	mostAnnounced = 30_000
	// longestAnnounced is the most bytes of an item and its version.
	longestAnnounced = 1024
)

// Announced is the newest version of an item that its CMS has told of.
type Announced struct {
	// Version is as the CMS wrote it.
	Version string
	// At is when it was announced first, by Redis' clock.
	At time.Time
	// Age is how long ago that is.
	Age time.Duration
}

// Announce records that an item has a version now, so that a render which
// shows an older one is noticed. An older version than the announced one, by
// storage.CompareVersions, changes nothing, nor does "", or what is too long
// to be a version. Whoever triggers something because of it announces first: a
// run for which Run.Announced was false is followed by another then.
func (l *Ledger) Announce(ctx context.Context, item, version string) error {
	if version == "" || len(item)+len(version) > longestAnnounced {
		return nil
	}
	for replaces := ""; ; {
		r, err := l.announceFor(ctx, item, version, replaces)
		if err != nil {
			return err
		}
		switch r.text(0) {
		case "ok":
			return nil
		case "other":
			replaces = r.text(1)
			_, is, _ := strings.Cut(replaces, " ")
			if newer, ok := storage.CompareVersions(version, is); ok && newer <= 0 {
				return nil
			}
		default:
			return errUnknownReply(r)
		}
	}
}

// announceFor announces a version in the place of what is announced, if that is
// replaces.
func (l *Ledger) announceFor(ctx context.Context, item, version, replaces string) (reply, error) {
	return l.runSite(ctx, l.scripts.announce, item, version, replaces, ms(keepAnnounced), mostAnnounced)
}

// Withdraw announces an older version than was: the CMS has gone back to that,
// as when a backup is restored. Nothing changes when another one was announced
// meanwhile.
func (l *Ledger) Withdraw(ctx context.Context, item string, was Announced, version string) error {
	_, err := l.announceFor(ctx, item, version, fmt.Sprintf("%d %s", was.At.UnixMilli(), was.Version))
	return err
}

// Told is Announced, less the items whose label was not triggered since: who
// announces may die before that.
func (l *Ledger) Told(ctx context.Context, items []string) (map[string]Announced, error) {
	all, err := l.Announced(ctx, items)
	if err != nil || len(all) == 0 {
		return all, err
	}
	owed, err := l.rdb.HMGet(ctx, l.key("announced:owed"), items...).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read what is triggered: %w", err))
	}
	for i, is := range owed {
		if is != nil {
			delete(all, items[i])
		}
	}
	return all, nil
}

// Announced returns what was announced of the items in the last hour, by
// item. No items cost nothing.
func (l *Ledger) Announced(ctx context.Context, items []string) (map[string]Announced, error) {
	if len(items) == 0 {
		return nil, nil
	}
	pipe := l.rdb.Pipeline()
	clock, values := pipe.Time(ctx), pipe.HMGet(ctx, l.key("announced"), items...)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, storage.Temporary(fmt.Errorf("read what is announced: %w", err))
	}
	oldest := clock.Val().Add(-keepAnnounced)
	all := make(map[string]Announced)
	for i, v := range values.Val() {
		text, _ := v.(string)
		stamp, version, _ := strings.Cut(text, " ")
		n, _ := strconv.ParseInt(stamp, 10, 64)
		if at := time.UnixMilli(n); at.After(oldest) {
			all[items[i]] = Announced{Version: version, At: at, Age: clock.Val().Sub(at)}
		}
	}
	return all, nil
}
