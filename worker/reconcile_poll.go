package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// mostNamed is how many changes a report names.
const mostNamed = 200

// errSpent ends a poll that has asked as often as it may.
var errSpent = errors.New("the next poll goes on")

// poll is one look at a source or an origin.
type poll struct {
	*Worker
	watch  *renderer.Watch
	limits reconcileLimits
	full   bool
	memory pollMemory
	report Reconciled
	// places are how far the collections and lists have come, by their names.
	places map[string]*place
	named  map[string]bool // items that were found
	// sole says that what is announced of an item is of this source: of two
	// WordPresses nobody knows whose post:42 it is.
	sole bool
	most int // requests that it may have sent by now; at the end limits.requests
	// shut are the collections that cannot be read, and failed the first error of
	// those, and of lists: the others are looked at all the same.
	shut   map[string]bool
	failed error
	some   bool // of them could be read
}

// place is how far the polls have come with one collection or list. It is
// kept in the ledger: fields may be added, and never get another meaning.
type place struct {
	// Newest is the version of which, and of all that is older, everything was
	// seen.
	Newest string `json:"newest,omitempty"`
	// Page is what the comparison of everything has to read next, 0 while there
	// is none; Last is the last id that it has seen. Of a list that was never read
	// to its end it is the first answer that was never read.
	Page int `json:"page,omitempty"`
	Last int `json:"last,omitempty"`
	// Audited is when everything was compared last, zero before the first time.
	Audited time.Time `json:"audited,omitzero"`
	// Hidden is how many items the CMS counts and does not show.
	Hidden int `json:"hidden,omitempty"`
	// Again says that a comparison of everything is done twice, since the first
	// came to another number than the CMS.
	Again bool `json:"again,omitempty"`
	// Empty says that most was missing of what was there before: the next time
	// that is believed.
	Empty bool `json:"empty,omitempty"`
	// Doubt says that the comparison of everything that Page is in has come upon
	// that.
	Doubt bool `json:"doubt,omitempty"`
	// After is in the place of turns only: what was looked at last when there was
	// not time for all.
	After string `json:"after,omitempty"`
}

// first reports whether nothing can be said of what is not remembered.
func (pl *place) first() bool { return pl.Audited.IsZero() }

func newPoll(w *Worker, watch *renderer.Watch, limits reconcileLimits) *poll {
	presses := 0
	for _, one := range w.watches() {
		if one.WordPress() {
			presses++
		}
	}
	return &poll{
		Worker: w, sole: presses == 1, watch: watch, limits: limits, memory: pollMemory{ledger: w.Ledger, source: watch.Name()},
		report: Reconciled{Source: watch.Name(), Found: []Found{}}, places: make(map[string]*place), named: make(map[string]bool),
		most: limits.requests, shut: make(map[string]bool),
	}
}

// run is look for one who has the turn, and keeps it meanwhile.
func (p *poll) run(ctx context.Context, turn *ledger.Poll) error {
	ctx, stop := keep(ctx, turn.Renewal(), turn.Renew)
	defer stop()
	err := p.look(ctx, turn.Progress)
	if err != nil && errors.Is(context.Cause(ctx), storage.ErrLost) {
		return fmt.Errorf("another process has taken over: %w", storage.Temporary(err))
	}
	return err
}

// look asks what is there. What was found when it fails is triggered. It does
// not fail when there was something that could be read.
func (p *poll) look(ctx context.Context, progress map[string]string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.limits.time, errSpent)
	defer cancel()
	err := p.all(ctx, progress)
	if spent(ctx, err) {
		p.report.Open, err = true, nil
	}
	if err == nil && !p.some {
		return p.failed
	}
	return err
}

// spent reports whether an error says that the poll may ask no more, or has no
// time left.
func spent(ctx context.Context, err error) bool {
	return errors.Is(err, errSpent) || err != nil && errors.Is(context.Cause(ctx), errSpent)
}

func (p *poll) all(ctx context.Context, progress map[string]string) error {
	for name, text := range progress {
		pl := &place{}
		if json.Unmarshal([]byte(text), pl) == nil { // else it is of a rebake to come
			p.places[name] = pl
		}
	}
	if err := p.collections(ctx); err != nil {
		return err
	}
	return p.lists(ctx)
}

// place returns how far one collection or list has come.
func (p *poll) place(name string) *place {
	if p.places[name] == nil {
		p.places[name] = &place{}
	}
	return p.places[name]
}

// end gives the turn back.
func (p *poll) end(ctx context.Context, turn *ledger.Poll, next time.Duration, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
	defer cancel()
	s := ledger.PollState{
		At: time.Now(), Found: p.report.Count, Total: int64(p.report.Count), Requests: p.report.Requests,
		Open: p.report.Open, Notes: p.report.Notes,
	}
	if err == nil {
		err = p.failed
	}
	if err != nil {
		s.Error = err.Error()
	}
	if p.watch.Every() > 0 {
		s.Next = s.At.Add(next)
	}
	if err := turn.End(ctx, s, next); err != nil && !errors.Is(err, storage.ErrLost) {
		return err
	}
	return nil
}

// ask counts a request before it is sent.
func (p *poll) ask(ctx context.Context) error {
	if p.report.Requests >= p.most {
		return errSpent
	}
	p.report.Requests++
	return ctx.Err()
}

// rest keeps a long list from being read faster than need be.
func (p *poll) rest(ctx context.Context) error {
	if p.limits.pause == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(p.limits.pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *poll) found(f Found) {
	if p.report.Count++; len(p.report.Found) < mostNamed {
		p.report.Found = append(p.report.Found, f)
	}
}

// fail notes that one collection or list cannot be read.
func (p *poll) fail(name string, err error) {
	err = fmt.Errorf("%s: %w", name, err)
	if p.failed == nil {
		p.failed = err
	}
	p.note("%v", err)
}

func (p *poll) note(format string, args ...any) {
	const most = 20
	if len(p.report.Notes) < most {
		p.report.Notes = append(p.report.Notes, fmt.Sprintf(format, args...))
	}
}

// settle triggers what was found, and then remembers what was seen.
func (p *poll) settle(ctx context.Context, name string, t Trigger, m ledger.Memory) error {
	if p.memory.dry {
		p.memory.pretend(name, m)
		return nil
	}
	t.Reason, t.Priority = "reconcile "+p.watch.Name(), ledger.Default
	if p.report.Count > manyFound {
		t.Priority = ledger.Low
	}
	// What is triggered is remembered, also when the poll is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
	defer cancel()
	if _, err := p.Accept(ctx, t); err != nil {
		return err
	}
	b, err := json.Marshal(p.place(name))
	if err != nil {
		return fmt.Errorf("encode progress: %w", err)
	}
	m.Progress = string(b)
	return p.Ledger.Remember(ctx, p.memory.seen(name), m)
}
