package api

import (
	"context"
	"maps"
	"slices"
	"sync"

	"rebake/storage/ledger"
)

// fakeParking keeps events in memory.
type fakeParking struct {
	parkErr error

	mu      sync.Mutex
	parked  []ledger.ParkedEvent // guarded by mu
	room    int                  // of events, 0 is any; guarded by mu
	dropped map[string]int64     // guarded by mu
}

// Park has no room but what a trigger of all pages makes.
func (p *fakeParking) Park(_ context.Context, e ledger.ParkedEvent, covered ledger.Moment) (ledger.Parked, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := p.room > 0 && len(p.parked) >= p.room
	switch {
	case p.parkErr != nil:
		return ledger.Parked{}, p.parkErr
	case full && covered == 0:
		return ledger.Parked{Full: true, Until: 7}, nil
	case full:
		p.dropped = map[string]int64{p.parked[0].Webhook: p.dropped[p.parked[0].Webhook] + 1}
		p.parked = append(p.parked[1:], e)
		return ledger.Parked{Dropped: 1}, nil
	}
	p.parked = append(p.parked, e)
	return ledger.Parked{}, nil
}

func (p *fakeParking) DroppedParked(context.Context) (map[string]int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.dropped), p.parkErr
}

func (p *fakeParking) ParkedEvents(_ context.Context, limit int) ([]ledger.ParkedEvent, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.parked[:min(len(p.parked), limit)]), p.parkErr
}

func (p *fakeParking) TakeParked(_ context.Context, id string) (ledger.ParkedEvent, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range p.parked {
		if e.ID == id {
			p.parked = slices.Delete(p.parked, i, i+1)
			return e, true, nil
		}
	}
	return ledger.ParkedEvent{}, false, nil
}
