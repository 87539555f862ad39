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
	mostAnnounced = 10_000
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
		r, err := l.runSite(ctx, l.scripts.announce, item, version, replaces, ms(keepAnnounced), mostAnnounced)
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
