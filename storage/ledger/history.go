package ledger

import (
	"context"
	"fmt"

	"rebake/storage"
)

// historyBatch is how many events one request reads.
const historyBatch = 1000

// History returns how the last runs of a page came to their ends, at most so
// many, the newest first. Of a page that never was one nothing else is left. It
// reaches as far back as the last ten thousand ends of all pages.
func (l *Ledger) History(ctx context.Context, p storage.Path, most int) ([]Event, error) {
	var history []Event
	for end := "+"; ; {
		list, err := l.rdb.XRevRangeN(ctx, l.key("events"), end, "-", historyBatch).Result()
		if err != nil {
			return nil, storage.Temporary(fmt.Errorf("read events: %w", err))
		}
		for _, m := range list {
			if m.Values["path"] != p.String() {
				continue
			}
			e, err := parseEvent(m)
			if err != nil {
				continue // nothing of ours
			}
			if history = append(history, e); len(history) == most {
				return history, nil
			}
		}
		if len(list) < historyBatch {
			return history, nil
		}
		end = "(" + list[len(list)-1].ID
	}
}
