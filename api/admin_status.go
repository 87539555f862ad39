package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"rebake/storage/ledger"
	"rebake/storage/spool"
	"rebake/worker"
)

// Status is the answer of GET /v1/status.
type Status struct {
	// Redis is "ok", or says what is wrong; the numbers are not known then.
	Redis string `json:"redis"`
	// Spooled is what waits in the spool of the process that answers.
	Spooled spool.Size `json:"spooled"`
	// Intake says why triggers are spooled, and since when; empty while they
	// go to Redis.
	Intake string    `json:"intake,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Pages  int64     `json:"pages"`  // that are known, removed ones too
	Owed   int64     `json:"owed"`   // pages that wait or run
	Failed int64     `json:"failed"` // pages that nobody tries any more
	Timers int64     `json:"timers"` // triggers that wait for their time
	// Lagging is how many pages show an older version of something than its CMS
	// has told of.
	Lagging int64 `json:"lagging,omitzero"`
	// Parked is how many events of webhooks a person has to look at.
	Parked int64 `json:"parked,omitzero"`
	// Dropped is how many others were dropped for them.
	Dropped int64 `json:"dropped,omitzero"`
	// Refused is what webhooks have refused of late, in the process that answers.
	Refused []RefusedEvents `json:"refused,omitempty"`
	// Oldest is since when the longest waiting page waits.
	Oldest time.Time          `json:"oldest,omitzero"`
	Walks  []ledger.Walking   `json:"walks,omitempty"` // labels whose pages are not all owed yet
	Queues []worker.QueueSize `json:"queues,omitempty"`
	Hold   *ledger.Hold       `json:"hold,omitempty"`
	Down   []ledger.Down      `json:"down,omitempty"` // what pages are made from, and is left alone for a while
	// Reconcile is how the last poll of each source and origin ended.
	Reconcile []ledger.PollState `json:"reconcile,omitempty"`
	At        time.Time          `json:"at"`
}

func (a *API) status(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), acceptTime)
	defer cancel()
	s, intake := Status{}, a.site.Intake()
	if intake.Cause == nil || intake.Full {
		var err error
		if s, err = a.readStatus(ctx); err != nil {
			a.log.Warn("status not known", "err", err)
			s = Status{Redis: "does not answer"}
		}
	} else {
		s.Redis = strings.TrimPrefix(intake.Reason, "redis ")
	}
	if intake.Cause != nil {
		s.Intake, s.Since = a.scrub(intake.Cause.Error()), intake.Since
	}
	s.Spooled, s.At = intake.Spooled, time.Now()
	s.Refused = a.refusals.list(s.At)
	answer(w, http.StatusOK, s)
}

func (a *API) readStatus(ctx context.Context) (s Status, err error) {
	s.Redis = "ok"
	counts, err := a.state.Counts(ctx)
	if err != nil {
		return s, err
	}
	s.Owed, s.Failed, s.Timers, s.Lagging = counts.Owed, counts.Failed, counts.Timers, counts.Lagging
	if s.Parked, err = a.state.CountParked(ctx); err != nil {
		return s, err
	}
	dropped, err := a.state.DroppedParked(ctx)
	if err != nil {
		return s, err
	}
	for _, n := range dropped {
		s.Dropped += n
	}
	if s.Pages, err = a.state.Pages(ctx, ledger.Site); err != nil {
		return s, err
	}
	if s.Oldest, err = a.state.Oldest(ctx); err != nil {
		return s, err
	}
	if s.Walks, err = a.state.Walks(ctx); err != nil {
		return s, err
	}
	if s.Hold, err = a.state.Held(ctx); err != nil {
		return s, err
	}
	if s.Down, err = a.state.Down(ctx); err != nil {
		return s, err
	}
	if s.Reconcile, err = a.polls(ctx); err != nil {
		return s, err
	}
	s.Queues, err = a.site.Queues()
	return s, err
}
