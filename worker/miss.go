package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

const (
	// mostAbsent and absentFor bound what is remembered of paths that are no
	// page. They live here and not in Redis: anybody can make them up.
	mostAbsent = 10_000
	absentFor  = 10 * time.Second
	// MissTime is the longest that a visitor is kept waiting.
	MissTime = 30 * time.Second
)

// The ends of a miss, besides a page.
var (
	// ErrAbsent says that there is no such page.
	ErrAbsent = errors.New("there is no such page")
	// ErrKept says that somebody has removed the page for good.
	ErrKept = errors.New("the page was removed for good")
	// ErrUnavailable says that there may be one, and that it cannot be rendered
	// at the moment.
	ErrUnavailable = errors.New("the page cannot be rendered at the moment")
)

// misses are the visitors' wishes of one process: at most a quarter of the
// slots is theirs, but one for what each upstream has, and many for one path are
// one.
type misses struct {
	flights singleflight.Group
	lanes   *lanes
	most    int // that may wait for one upstream

	mu     sync.Mutex
	absent map[storage.Path]absence // guarded by mu
	crowds map[string]int           // guarded by mu; how many wait, by the upstream that they wait for
}

// absence is what is known of a path that has no page.
type absence struct {
	err   error // ErrAbsent or ErrKept
	until time.Time
}

func newMisses(workers int) *misses {
	slots := max(1, workers/4)
	return &misses{
		lanes: newLanes(slots, nil), most: 16 * slots,
		absent: make(map[storage.Path]absence), crowds: make(map[string]int),
	}
}

// acquire waits for a slot, unless too many wait already for what the page is
// made from: a crawler over invented addresses must not hold all connections.
func (m *misses) acquire(ctx context.Context, upstreams []renderer.Upstream) (release func(), err error) {
	busy := fmt.Errorf("%w: too many visitors ask for pages that are not there", ErrUnavailable)
	crowds := make([]string, 0, 1)
	for _, u := range upstreams {
		crowds = append(crowds, u.Name)
	}
	if len(crowds) == 0 {
		crowds = append(crowds, "") // it is made of its template alone
	}
	defer m.crowd(crowds, -1)
	if m.crowd(crowds, +1) > m.most {
		return nil, busy
	}
	release, err = m.lanes.enter(ctx, upstreams, false, true)
	if err != nil {
		return nil, busy
	}
	return release, nil
}

// crowd changes how many wait for some upstreams, and returns the most for one.
func (m *misses) crowd(names []string, n int) (most int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		m.crowds[name] += n // there are as many as the config names
		most = max(most, m.crowds[name])
	}
	return most
}

// known returns why a path is known to have no page, nil when it is not.
func (m *misses) known(p storage.Path) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, ok := m.absent[p]; ok && time.Now().Before(a.until) {
		return fmt.Errorf("%s: %w", p, a.err)
	}
	return nil
}

// absentNow remembers that a path has no page, and returns err with its name.
func (m *misses) absentNow(p storage.Path, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.absent) >= mostAbsent {
		m.forgetSome()
	}
	m.absent[p] = absence{err, time.Now().Add(absentFor)}
	return fmt.Errorf("%s: %w", p, err)
}

// forget forgets a path, of which more is known now.
func (m *misses) forget(p storage.Path) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.absent, p)
}

// forgetSome makes room; mu is held.
func (m *misses) forgetSome() {
	now := time.Now()
	for p, a := range m.absent {
		if now.After(a.until) || len(m.absent) > mostAbsent*3/4 {
			delete(m.absent, p)
		}
	}
}

// Served is a page for a visitor. The caller closes File.
type Served struct {
	File *os.File
	Type string
	// Rendered says that it was rendered for this visitor.
	Rendered bool
}

// Miss answers a visitor whose page has no file: it renders the page, for the
// first time, and publishes it. Concurrent misses for one path cost one
// render. The errors are ErrAbsent, ErrKept, ErrUnavailable and those of the
// context.
func (w *Worker) Miss(ctx context.Context, p storage.Path) (Served, error) {
	if served, err := w.open(p); err == nil {
		return served, nil // it was rendered in this moment
	}
	m, ok := w.Renderer.Match(p)
	if !ok {
		return Served{}, fmt.Errorf("%s: %w", p, ErrAbsent)
	}
	if err := w.misses.known(p); err != nil {
		return Served{}, err
	}
	// The render goes on when the visitor who came first goes away.
	done := w.misses.flights.DoChan(p.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), MissTime)
		defer cancel()
		return nil, w.missOnce(ctx, m)
	})
	select {
	case res := <-done:
		if res.Err != nil {
			return Served{}, res.Err
		}
	case <-ctx.Done():
		return Served{}, context.Cause(ctx)
	}
	served, err := w.open(p)
	if errors.Is(err, fs.ErrNotExist) {
		return Served{}, w.misses.absentNow(p, ErrAbsent)
	}
	served.Rendered = true
	return served, err
}

// missOnce keeps a panic to its own visitors; singleflight would let it end the
// process.
func (w *Worker) missOnce(ctx context.Context, m renderer.Match) (err error) {
	defer func() {
		if panicked := new(storage.PanicError); errors.As(err, &panicked) {
			w.logPanic("path", m.Path.String(), err)
			err = fmt.Errorf("%w: internal error", ErrUnavailable)
		}
	}()
	return storage.Contain(func() error { return w.missing(ctx, m) })
}

// missing decides whether the path may be rendered for a visitor.
func (w *Worker) missing(ctx context.Context, m renderer.Match) error {
	kept, err := w.Ledger.Kept(ctx, m.Path)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case kept != nil:
		return w.misses.absentNow(m.Path, ErrKept)
	case m.Misses() == renderer.MissesOff:
		return w.misses.absentNow(m.Path, ErrAbsent)
	}
	return w.miss(ctx, m)
}

func (w *Worker) miss(ctx context.Context, m renderer.Match) error {
	if m.Misses() == renderer.MissesListed {
		s, err := w.Ledger.State(ctx, m.Path)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if s.Page == nil && s.Owed == nil {
			return w.misses.absentNow(m.Path, ErrAbsent)
		}
	}
	if err := w.heldError(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	release, err := w.misses.acquire(ctx, m.Upstreams())
	if err != nil {
		return err
	}
	defer release()
	state, r, err := w.Ledger.Miss(ctx, m.Path, "visitor")
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case state == ledger.MissGone:
		return w.misses.absentNow(m.Path, ErrAbsent)
	case state == ledger.MissFailed:
		return fmt.Errorf("%s: %w", m.Path, ErrUnavailable)
	case state == ledger.MissPublished:
		// The file is not there, and the ledger thinks that it is: somebody
		// has deleted it, and so is owed it again.
		r, err = w.Ledger.Trigger(ctx, m.Path, ledger.Request{Priority: ledger.Default, Reason: "its file is missing"})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	w.wake(ctx, r.Token)
	if err := w.Wait(ctx, AcceptedPage{Path: m.Path, ID: r.ID}); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

func (w *Worker) open(p storage.Path) (Served, error) {
	f, name, err := w.Output.Open(p)
	if err != nil {
		return Served{}, err
	}
	return Served{File: f, Type: storage.TypeByName(name)}, nil
}
