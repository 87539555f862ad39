package worker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rebake/storage"
	"rebake/storage/ledger"
)

// Spooled is the part of an accepted trigger that waits in the spool.
type Spooled struct {
	// ID names it in the log, "spool-…". A number of the ledger it gets when it
	// is drained, one for each page.
	ID     string
	Paths  []storage.Path
	Labels []ledger.Label // those of items too
	// Why says for anybody why the ledger does not have it.
	Why string
}

// spooledTrigger is a record of the spool. On disk: another version of Rebake
// may read it, so never rename a field, add a new one.
type spooledTrigger struct {
	ID            string          `json:"id"`
	Accepted      time.Time       `json:"accepted"`
	Paths         []string        `json:"paths,omitempty"`
	Known         []string        `json:"known,omitempty"`
	Labels        []string        `json:"labels,omitempty"`
	Items         []spooledItem   `json:"items,omitempty"`
	Priority      ledger.Priority `json:"priority"`
	Reason        string          `json:"reason,omitempty"`
	Recheck       bool            `json:"recheck,omitempty"`
	OnlyPublished bool            `json:"only_published,omitempty"`
	Unkeep        bool            `json:"unkeep,omitempty"`
	At            time.Time       `json:"at,omitzero"`
	Edited        time.Time       `json:"edited,omitzero"`
	RecheckMS     int64           `json:"recheck_ms,omitempty"`
	SettleMS      int64           `json:"settle_ms,omitempty"`
	MaxWaitMS     int64           `json:"max_wait_ms,omitempty"`
}

// spooledItem is an Item in a record.
type spooledItem struct {
	Tag     string `json:"tag"`
	Version string `json:"version,omitempty"`
}

// spool puts a trigger into the spool. why is what Redis said.
func (w *Worker) spool(t Trigger, why error) (*Spooled, error) {
	s := &Spooled{ID: "spool-" + rand.Text()[:13], Paths: t.Paths, Labels: slices.Clone(t.Labels), Why: redisReason(why)}
	rec := spooledTrigger{
		ID: s.ID, Accepted: time.Now(), Priority: t.Priority, Reason: t.Reason, Recheck: t.Recheck,
		OnlyPublished: t.OnlyPublished, Unkeep: t.Unkeep, At: t.At, Edited: t.Edited,
		Paths: pathNames(t.Paths), Known: pathNames(t.Known),
		RecheckMS: t.RecheckAfter.Milliseconds(), SettleMS: t.Settle.Milliseconds(), MaxWaitMS: t.MaxWait.Milliseconds(),
	}
	for _, l := range t.Labels {
		rec.Labels = append(rec.Labels, string(l))
	}
	for _, i := range t.Items {
		s.Labels = append(s.Labels, ledger.Item(i.Tag))
		rec.Items = append(rec.Items, spooledItem(i))
	}
	b, err := json.Marshal(rec)
	if err != nil {
		return nil, fmt.Errorf("encode trigger: %w", err)
	}
	return s, w.Spool.Append(b)
}

func pathNames(paths []storage.Path) (names []string) {
	for _, p := range paths {
		names = append(names, p.String())
	}
	return names
}

// parsePaths reads paths back. The site's own rules were applied when the
// trigger was accepted.
func parsePaths(names []string) (paths []storage.Path, err error) {
	for _, name := range names {
		p, err := storage.PathRules{WellKnown: []string{"/.well-known"}}.Parse(name)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// parse reads the trigger back.
func (s spooledTrigger) parse() (t Trigger, err error) {
	t = Trigger{
		Priority: s.Priority, Reason: s.Reason, Recheck: s.Recheck, OnlyPublished: s.OnlyPublished, At: s.At, Edited: s.Edited,
		RecheckAfter: time.Duration(s.RecheckMS) * time.Millisecond,
		Settle:       time.Duration(s.SettleMS) * time.Millisecond, MaxWait: time.Duration(s.MaxWaitMS) * time.Millisecond,
	}
	if t.Paths, err = parsePaths(s.Paths); err != nil {
		return t, err
	}
	if t.Known, err = parsePaths(s.Known); err != nil {
		return t, err
	}
	for _, i := range s.Items {
		t.Items = append(t.Items, Item(i))
	}
	for _, text := range s.Labels {
		l, err := ledger.ParseLabel(text)
		if err != nil {
			return t, err
		}
		t.Labels = append(t.Labels, l)
	}
	return t, nil
}

// drain brings what waits in the spool to the ledger, while there is room for
// it.
func (w *Worker) drain(ctx context.Context) error {
	looked, batches := time.Now(), 0
	err := w.Spool.Drain(ctx, func(ctx context.Context, records [][]byte) error {
		if time.Since(looked) >= lookEvery {
			if err := w.Admit(ctx); err != nil {
				return err
			}
			looked = time.Now()
		}
		if err := w.intake.closed(); err != nil && (batches > 0 || !w.idle(ctx)) {
			return err
		}
		batches++
		return w.recordSpooled(ctx, records)
	})
	if errors.Is(err, errFull) {
		return nil // the workers make room
	}
	return err
}

// recordSpooled is called once more with the same records after an error.
func (w *Worker) recordSpooled(ctx context.Context, records [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, record := range records {
		group.Go(func() error {
			var s spooledTrigger
			err := json.Unmarshal(record, &s)
			var t Trigger
			if err == nil {
				t, err = s.parse()
			}
			if err != nil {
				// It never will be understood, and keeps all others from being drained.
				w.Log.Error("spooled trigger not understood, left out", "record", string(record), "err", err)
				return nil
			}
			return w.recordOne(ctx, s, t)
		})
	}
	return group.Wait()
}

func (w *Worker) recordOne(ctx context.Context, s spooledTrigger, t Trigger) error {
	var unmatched []storage.Path
	t.Paths, unmatched = w.matched(t.Paths)
	for _, p := range unmatched {
		w.Log.Warn("no route matches a page of a spooled trigger any more", "id", s.ID, "path", p.String())
	}
	t.Known, _ = w.matched(t.Known)
	if s.Unkeep {
		if err := w.unkeepOlder(ctx, t.Paths, s.Accepted); err != nil {
			return err
		}
	}
	if !t.At.IsZero() {
		return w.scheduleLate(ctx, s.ID, t)
	}
	a, _, err := w.record(ctx, t)
	if err == nil {
		w.Log.Info("spooled trigger accepted", "spooled", s.ID, "id", a.ID(), "pages", len(a.Pages), "labels", len(a.Labels), "after", time.Since(s.Accepted), "reason", t.Reason)
	}
	return err
}

// scheduleLate schedules a trigger beside those that came since.
func (w *Worker) scheduleLate(ctx context.Context, id string, t Trigger) error {
	for _, p := range slices.Concat(t.Paths, t.Known) {
		if err := w.Ledger.ScheduleAlso(ctx, id, p, t.At); err != nil {
			return err
		}
	}
	labels := t.Labels
	for _, i := range t.Items {
		labels = append(slices.Clip(labels), ledger.Item(i.Tag))
	}
	for _, l := range labels {
		if err := w.Ledger.ScheduleLabelAlso(ctx, id, l, t.At); err != nil {
			return err
		}
	}
	w.Log.Info("spooled trigger scheduled", "spooled", id, "at", t.At, "pages", len(t.Paths), "labels", len(labels), "reason", t.Reason)
	return nil
}

// unkeepOlder lets pages come back, but not those that somebody has removed
// since: what was decided last holds.
func (w *Worker) unkeepOlder(ctx context.Context, paths []storage.Path, asked time.Time) error {
	for _, p := range paths {
		kept, err := w.Ledger.Kept(ctx, p)
		if err == nil && kept != nil && kept.At.Before(asked) {
			_, err = w.Ledger.Unkeep(ctx, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
