package worker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

// H118: a removal and a trigger of one page meet, at any moment of a render.
// What was asked for last is what there is. scripts/torture does it 500 times.
func TestRemove_H118_RacingWithRenders(t *testing.T) {
	const pages = 100
	s := newWebsite(t)
	procs := []*process{s.running(), s.running()}
	there, met := 0, 0
	var mu sync.Mutex
	var all sync.WaitGroup
	turns := make(chan struct{}, 8)
	for i := range pages {
		path := fmt.Sprint("/", i)
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			publishes, removed := procs[i%2].raceForPage(path, procs[rand.N(2)])
			mu.Lock()
			defer mu.Unlock()
			if publishes {
				there++
			}
			if removed {
				met++
			}
		})
	}
	all.Wait()
	t.Logf("%d of %d pages are there", there, pages)
	if met == 0 || there == 0 || there == pages {
		t.Errorf("%d removals were recorded, and %d of %d pages are there: nothing raced", met, there, pages)
	}
}

// raceForPage lets a trigger and a removal of a page race, and reports whether
// the page is there then, and whether the removal took it away in between.
func (p *process) raceForPage(path string, other *process) (there, removed bool) {
	s, t := p.site, p.site.t
	p.publish(path, "old")
	s.set(path, "new")
	var asked uint64
	var race sync.WaitGroup
	race.Go(func() {
		time.Sleep(rand.N(3 * time.Millisecond)) // the moments of a render
		for _, a := range p.trigger(ledger.Critical, path) {
			asked = a.ID
		}
	})
	race.Go(func() {
		time.Sleep(rand.N(3 * time.Millisecond))
		err := other.Remove(t.Context(), Removal{Path: mustPath(path), By: "ann"})
		if err != nil && !errors.Is(err, storage.ErrLost) {
			t.Errorf("remove %s: %v", path, err)
		}
	})
	race.Wait()
	s.await(path+" is owed nothing", func() bool { return p.state(path).Owed == nil })
	var removal uint64
	for _, e := range p.events(path) {
		if e["kind"] == string(ledger.Removed) {
			removal, _ = strconv.ParseUint(fmt.Sprint(e["id"]), 10, 64)
		}
	}
	served := s.served(path)
	switch {
	case asked > removal && served != html("new"):
		t.Errorf("%s serves %q, and trigger %d is newer than the removal %d", path, served, asked, removal)
	case asked < removal && served != "":
		t.Errorf("%s serves %q, and the removal %d is newer than trigger %d", path, served, removal, asked)
	}
	return served != "", removal > 0
}
