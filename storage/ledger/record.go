package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

const (
	// keepRecord is how long one can ask how a trigger is getting on.
	keepRecord = 24 * time.Hour
	// mostRecorded is the most pages that are remembered of one trigger.
	mostRecorded = 1000
)

// Record is what is remembered of an accepted trigger, for those who ask how
// it is getting on. The triggers themselves do not need it.
type Record struct {
	ID     uint64          `json:"id"`
	Reason string          `json:"reason,omitzero"`
	At     time.Time       `json:"at"`
	Paths  []RecordedPath  `json:"paths,omitzero"`
	Labels []RecordedLabel `json:"labels,omitzero"`
	// More is how many pages there were besides.
	More int `json:"more,omitzero"`
}

// RecordedPath is a page of a trigger, and its number.
type RecordedPath struct {
	Path string `json:"path"`
	ID   uint64 `json:"id"`
}

// RecordedLabel is a label of a trigger, and its number.
type RecordedLabel struct {
	Label Label  `json:"label"`
	ID    uint64 `json:"id"`
}

// SaveRecord keeps the record for a day. Of more than a thousand pages it
// keeps the first thousand.
func (l *Ledger) SaveRecord(ctx context.Context, r Record) error {
	if more := len(r.Paths) - mostRecorded; more > 0 {
		r.Paths, r.More = r.Paths[:mostRecorded], more
	}
	b, err := json.Marshal(r)
	if err == nil {
		err = l.rdb.Set(ctx, l.recordKey(r.ID), b, keepRecord).Err()
	}
	if err != nil {
		return storage.Temporary(fmt.Errorf("remember trigger: %w", err))
	}
	return nil
}

// Record returns what is remembered of a trigger; false when that is nothing.
func (l *Ledger) Record(ctx context.Context, id uint64) (r Record, ok bool, err error) {
	b, err := l.rdb.Get(ctx, l.recordKey(id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return r, false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return r, false, storage.Temporary(fmt.Errorf("read trigger: %w", err))
	}
	return r, true, nil
}

func (l *Ledger) recordKey(id uint64) string { return l.key("trig:" + strconv.FormatUint(id, 10)) }

// Progress is how far a trigger has come: each of its pages is met, or failed
// (a try that had seen the trigger did; more may follow), or waits.
type Progress struct {
	Met     int  `json:"met"`
	Failed  int  `json:"failed"`
	Waiting int  `json:"waiting"`
	Walking bool `json:"walking,omitzero"` // a label's pages are not all owed yet
}

// Done reports that no more is to be waited for.
func (p Progress) Done() bool { return p.Waiting == 0 && !p.Walking }

// Progress counts a recorded trigger's pages, each once for every part of the
// trigger that names it, and calls unmet for those that are not met.
func (l *Ledger) Progress(ctx context.Context, r Record, unmet func(State)) (sum Progress, err error) {
	count := func(s State, id uint64, walking bool) {
		switch {
		case s.Page != nil && s.Page.G0 >= id, s.Owed == nil && !walking:
			sum.Met++
			return
		case s.Owed != nil && s.Owed.FailedG0 >= id && s.Owed.Error != "":
			sum.Failed++
		default:
			sum.Waiting++
		}
		unmet(s)
	}
	ids := make(map[storage.Path]uint64, len(r.Paths))
	var paths []storage.Path
	for _, rp := range r.Paths {
		if p, err := parsePath(rp.Path); err == nil {
			ids[p] = rp.ID
			paths = append(paths, p)
		}
	}
	states, err := l.States(ctx, paths)
	if err != nil {
		return sum, err
	}
	for _, s := range states {
		count(s, ids[s.Path], false)
	}
	for _, label := range r.Labels {
		walking, err := l.Walking(ctx, label.Label)
		if err != nil {
			return sum, err
		}
		sum.Walking = sum.Walking || walking
		err = l.EachBatch(ctx, label.Label, func(batch []storage.Path) error {
			states, err := l.States(ctx, batch)
			for _, s := range states {
				count(s, label.ID, walking)
			}
			return err
		})
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}
