package api

import (
	"context"
	"slices"
	"sync"

	"rebake/storage/ledger"
)

// fakeParking keeps events in memory.
type fakeParking struct {
	parkErr error

	mu     sync.Mutex
	parked []ledger.ParkedEvent // guarded by mu
}

func (p *fakeParking) Park(_ context.Context, e ledger.ParkedEvent) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parkErr == nil {
		p.parked = append(p.parked, e)
	}
	return p.parkErr
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
