package api

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// fakeOperator is what a worker does besides accepting. No route has a path
// below /nowhere.
type fakeOperator struct {
	state     *fakeState
	removeErr error
	removed   []worker.Removal
	feed      fakeFeed
}

func (o *fakeOperator) Remove(_ context.Context, r worker.Removal) error {
	o.removed = append(o.removed, r)
	return o.removeErr
}

func (o *fakeOperator) Matches(p storage.Path) bool {
	return !strings.HasPrefix(p.String(), "/nowhere")
}

func (o *fakeOperator) Queues() ([]worker.QueueSize, error) {
	return []worker.QueueSize{{Priority: ledger.Critical, Waiting: 2, Running: 1, Later: 3}}, nil
}

func (o *fakeOperator) Subscribe(buffer int) (<-chan ledger.Event, func()) {
	return o.feed.subscribe(buffer)
}

// fakeFeed passes events to one listener. Safe for concurrent use.
type fakeFeed struct {
	mu sync.Mutex
	c  chan ledger.Event // guarded by mu
}

func (f *fakeFeed) subscribe(buffer int) (<-chan ledger.Event, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan ledger.Event, buffer)
	f.c = c
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.c = nil
	}
}

// send reports whether somebody listens.
func (f *fakeFeed) send(e ledger.Event) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.c == nil {
		return false
	}
	f.c <- e
	return true
}

// fakeLedger is what people have told the ledger, and what it remembers. Its
// error is that of everything here.
type fakeLedger struct {
	hold     *ledger.Hold
	kept     map[string]ledger.Kept
	down     []ledger.Down
	records  map[uint64]ledger.Record
	progress ledger.Progress
	unmet    []ledger.State
	query    ledger.Query // the last one
	history  []ledger.Event

	parkedEvents, lagging int64
}

func (o *fakeOperator) Hold(_ context.Context, by, why string) error {
	o.state.hold = &ledger.Hold{By: by, Why: why, At: time.UnixMilli(1_790_000_000_000).UTC()}
	return o.state.err
}

func (s *fakeState) Resume(context.Context) (bool, error) {
	was := s.hold != nil
	s.hold = nil
	return was, s.err
}

func (s *fakeState) History(_ context.Context, p storage.Path, most int) ([]ledger.Event, error) {
	of := slices.DeleteFunc(slices.Clone(s.history), func(e ledger.Event) bool { return e.Path != p })
	return of[:min(len(of), most)], s.err
}

func (s *fakeState) Held(context.Context) (*ledger.Hold, error) { return s.hold, s.err }

func (s *fakeState) Kept(_ context.Context, p storage.Path) (*ledger.Kept, error) {
	if k, ok := s.kept[p.String()]; ok {
		return &k, s.err
	}
	return nil, s.err
}

func (s *fakeState) SaveRecord(_ context.Context, r ledger.Record) error {
	if s.records == nil {
		s.records = make(map[uint64]ledger.Record)
	}
	s.records[r.ID] = r
	return s.err
}

func (s *fakeState) Record(_ context.Context, id uint64) (ledger.Record, bool, error) {
	r, ok := s.records[id]
	return r, ok, s.err
}

func (s *fakeState) Progress(_ context.Context, _ ledger.Record, unmet func(ledger.State)) (ledger.Progress, error) {
	for _, one := range s.unmet {
		unmet(one)
	}
	return s.progress, s.err
}

// sorted are the known states by path.
func (s *fakeState) sorted() []ledger.State {
	var list []ledger.State
	for _, one := range s.states {
		list = append(list, one)
	}
	slices.SortFunc(list, func(x, y ledger.State) int { return strings.Compare(x.Path.String(), y.Path.String()) })
	return list
}

func (s *fakeState) List(_ context.Context, q ledger.Query) (list []ledger.State, next string, err error) {
	s.query = q
	for _, one := range s.sorted() {
		if one.Path.String() <= q.After {
			continue
		}
		if len(list) == q.Limit {
			return list, list[len(list)-1].Path.String(), s.err
		}
		list = append(list, one)
	}
	return list, "", s.err
}

// EachPage knows prefixes and tags.
func (s *fakeState) EachPage(_ context.Context, l ledger.Label, f func(storage.Path) error) error {
	for _, one := range s.sorted() {
		prefix, isPrefix := strings.CutPrefix(string(l), "prefix:")
		if isPrefix && one.Path.String() != prefix && !strings.HasPrefix(one.Path.String(), prefix+"/") {
			continue
		}
		tag, isTag := strings.CutPrefix(string(l), "tag:")
		if isTag && (one.Page == nil || !slices.Contains(one.Page.Tags, tag)) {
			continue
		}
		if err := f(one.Path); err != nil {
			return err
		}
	}
	return s.err
}

func (s *fakeState) EachFailed(_ context.Context, f func(ledger.State) error) error {
	for _, one := range s.sorted() {
		if one.Freshness != ledger.PageFailed {
			continue
		}
		if err := f(one); err != nil {
			return err
		}
	}
	return s.err
}

func (s *fakeState) EachLagging(_ context.Context, f func(ledger.State) error) error {
	for _, one := range s.sorted() {
		if one.Page != nil && one.Page.Lagging != "" {
			if err := f(one); err != nil {
				return err
			}
		}
	}
	return s.err
}

func (s *fakeState) CountParked(context.Context) (int64, error) { return s.parkedEvents, s.err }

func (s *fakeState) Pages(context.Context, ledger.Label) (int64, error) {
	return int64(len(s.states)), s.err
}

func (s *fakeState) Oldest(context.Context) (time.Time, error) {
	return time.UnixMilli(1_790_000_000_000).UTC(), s.err
}

func (s *fakeState) Down(context.Context) ([]ledger.Down, error) { return s.down, s.err }

func (s *fakeState) Walks(context.Context) ([]ledger.Walking, error) { return nil, s.err }
