package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"rebake/storage"
)

// downFor is how long the word of a process holds that something is down.
const downFor = 15 * time.Second

// Down is a server that pages are made from, and that is left alone for a
// while, since it fails or has asked for that.
type Down struct {
	Upstream string    `json:"upstream"` // "source cms", "origin app"
	Server   string    `json:"server"`   // its host
	Since    time.Time `json:"since"`
	Next     time.Time `json:"next"`   // when it is tried again, by the next page that needs it
	Reason   string    `json:"reason"` // the last failure; holds no secret
}

// downs is what one process says.
type downs struct {
	At   time.Time `json:"at"`
	Down []Down    `json:"down"`
}

// ReportDown says what is down, in the eyes of this process; nothing takes its
// last word back. It is repeated every few seconds as long as that lasts.
func (l *Ledger) ReportDown(ctx context.Context, list []Down) error {
	key := l.key("down")
	pipe := l.rdb.Pipeline()
	if len(list) == 0 {
		pipe.HDel(ctx, key, l.process)
	} else {
		b, err := json.Marshal(downs{time.Now(), list})
		if err != nil {
			return fmt.Errorf("encode what is down: %w", err)
		}
		pipe.HSet(ctx, key, l.process, b)
		pipe.Expire(ctx, key, 4*downFor) // a process that died does not take it back
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return storage.Temporary(fmt.Errorf("report what is down: %w", err))
	}
	return nil
}

// Down returns what is down in the eyes of any process, each server once: since
// the first has noticed, and until the first tries again.
func (l *Ledger) Down(ctx context.Context) ([]Down, error) {
	all, err := l.rdb.HGetAll(ctx, l.key("down")).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read what is down: %w", err))
	}
	var list []Down
	for _, text := range all {
		var said downs
		if json.Unmarshal([]byte(text), &said) != nil || time.Since(said.At) > downFor {
			continue
		}
		for _, d := range said.Down {
			i := slices.IndexFunc(list, func(other Down) bool { return other.Upstream == d.Upstream && other.Server == d.Server })
			if i < 0 {
				list = append(list, d)
				continue
			}
			if d.Since.Before(list[i].Since) {
				list[i].Since = d.Since
			}
			if d.Next.Before(list[i].Next) {
				list[i].Next = d.Next
			}
		}
	}
	slices.SortFunc(list, func(a, b Down) int { return strings.Compare(a.Upstream+" "+a.Server, b.Upstream+" "+b.Server) })
	return list, nil
}
