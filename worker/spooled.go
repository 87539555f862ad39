package worker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
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
	Labels []ledger.Label
	// Why says for anybody why the ledger does not have it.
	Why string
}

// spooledTrigger is a record of the spool. On disk: another version of Rebake
// may read it, so never rename a field, add a new one.
type spooledTrigger struct {
	ID            string          `json:"id"`
	Accepted      time.Time       `json:"accepted"`
	Paths         []string        `json:"paths,omitempty"`
	Labels        []string        `json:"labels,omitempty"`
	Priority      ledger.Priority `json:"priority"`
	Reason        string          `json:"reason,omitempty"`
	Recheck       bool            `json:"recheck,omitempty"`
	OnlyPublished bool            `json:"only_published,omitempty"`
	Unkeep        bool            `json:"unkeep,omitempty"`
	At            time.Time       `json:"at,omitzero"`
}

// spool puts a trigger into the spool. why is what Redis said.
func (w *Worker) spool(t Trigger, why error) (*Spooled, error) {
	s := &Spooled{ID: "spool-" + rand.Text()[:13], Paths: t.Paths, Labels: t.Labels, Why: redisReason(why)}
	rec := spooledTrigger{
		ID: s.ID, Accepted: time.Now(), Priority: t.Priority, Reason: t.Reason, Recheck: t.Recheck,
		OnlyPublished: t.OnlyPublished, Unkeep: t.Unkeep, At: t.At,
	}
	for _, p := range t.Paths {
		rec.Paths = append(rec.Paths, p.String())
	}
	for _, l := range t.Labels {
		rec.Labels = append(rec.Labels, string(l))
	}
	b, err := json.Marshal(rec)
	if err != nil {
		return nil, fmt.Errorf("encode trigger: %w", err)
	}
	return s, w.Spool.Append(b)
}

// parse reads the trigger back. The site's own rules were applied when it was
// accepted.
func (s spooledTrigger) parse() (t Trigger, err error) {
	t = Trigger{
		Priority: s.Priority, Reason: s.Reason, Recheck: s.Recheck, OnlyPublished: s.OnlyPublished, At: s.At,
	}
	for _, text := range s.Paths {
		p, err := storage.PathRules{WellKnown: []string{"/.well-known"}}.Parse(text)
		if err != nil {
			return t, err
		}
		t.Paths = append(t.Paths, p)
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
	var paths []storage.Path
	for _, p := range t.Paths {
		if !w.Matches(p) {
			w.Log.Warn("no route matches a page of a spooled trigger any more", "id", s.ID, "path", p.String())
			continue
		}
		paths = append(paths, p)
	}
	t.Paths = paths
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
	for _, p := range t.Paths {
		if err := w.Ledger.ScheduleAlso(ctx, id, p, t.At); err != nil {
			return err
		}
	}
	for _, l := range t.Labels {
		if err := w.Ledger.ScheduleLabelAlso(ctx, id, l, t.At); err != nil {
			return err
		}
	}
	w.Log.Info("spooled trigger scheduled", "spooled", id, "at", t.At, "pages", len(t.Paths), "labels", len(t.Labels), "reason", t.Reason)
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
