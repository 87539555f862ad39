package ledger

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/redistest"
)

// The model test plays editors, workers, a queue and a sweeper against one
// ledger, one small step at a time in an order that the seed decides, and
// compares what is served with a few maps. What can go wrong between two
// processes goes wrong here: replies that are lost, tasks that are lost or come
// twice, workers that die, or stop and go on when their page is another's.
//
// Labels, walks, builds, visitors, removals, timers and slow sources are in files
// of their own.
//
// REBAKE_MODEL_SEED=7 go test -run TestModel ./storage/ledger   runs one seed.
const (
	modelSeeds = 100 // about eight seconds
	modelSteps = 300 // at most
	modelRuns  = 8   // at most, the paused ones too
)

// modelPaths are of several prefixes, and of one that only looks like another.
var modelPaths = []string{"/", "/a", "/a/1", "/a-1", "/b/1", "/b/2"}

func TestModel(t *testing.T) {
	rdb := redistest.Start(t)
	for _, seed := range seeds(t) {
		if m := playModel(t, rdb, seed, nothing); m.wrong != "" {
			t.Fatalf("REBAKE_MODEL_SEED=%d: %s\n%s", seed, m.wrong, m.tail())
		}
	}
}

func seeds(t *testing.T) (list []uint64) {
	if s := os.Getenv("REBAKE_MODEL_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return []uint64{seed}
	}
	for seed := range uint64(modelSeeds) {
		list = append(list, seed)
	}
	return list
}

// model is one play. The maps are the truth that the ledger is compared with.
type model struct {
	*fixture
	without safeguard
	rnd     *rand.Rand
	quiet   bool // few people edit, so that visitors are the first to ask for a page, and much fails
	steps   int
	depth   int // of steps between a request and its repetition

	paths     []storage.Path
	content   map[storage.Path]int // version that the source has now
	hidden    map[storage.Path][]modelHidden
	wanted    map[storage.Path]int       // version at the last accepted trigger
	direct    map[storage.Path]int       // likewise, of those that named the page
	files     map[storage.Path]modelFile // what a visitor sees
	accepted  map[storage.Path]uint64    // newest trigger
	met       map[storage.Path]uint64    // newest trigger that a finished run has met
	owner     map[storage.Path]*modelRun
	queue     []Token // what asynq has
	runs      []*modelRun
	labels    modelLabels
	visits    modelVisits
	removals  modelRemovals
	timers    map[Timer]modelDue
	claims    int
	mayClaim  int // triggers, failures, releases and dead leases: each allows one claim
	wrong     string
	histories []string
}

// modelFile is what was done last at a path.
type modelFile struct {
	there   bool
	version int // of the content that was published, or that said that there is no page
	by      int // number of the run
}

// modelRun is a worker's run and how far it has come.
type modelRun struct {
	*Run
	number  int // of the claim, in their order
	prio    Priority
	step    string    // read, look, publish or end
	version int       // of the content that it read
	remove  bool      // whatever the content says
	remover bool      // it was claimed by a person, for a removal
	paused  int       // until so many steps are done
	asking  bool      // it waits for a reply
	before  time.Time // when its end was told for the first time
	wake    time.Time // see storage.Page
}

// removes says whether the run is to leave no file.
func (r *modelRun) removes() bool { return r.remove || gone(r.version) }

// outcome is what it tells at its end.
func (r *modelRun) outcome() Outcome {
	if r.removes() {
		return Removed
	}
	return Published
}

// gone says which versions of the content are that there is no page.
func gone(version int) bool { return version%5 == 4 }

func playModel(t *testing.T, s *redistest.Server, seed uint64, without safeguard) *model {
	t.Helper()
	rdb := s.Client()
	// No crash of Redis is played here, so it need not write to the disk.
	if err := rdb.ConfigSet(t.Context(), "appendonly", "no").Err(); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig(site)
	cfg.Lease, cfg.MaxRun = 9*time.Minute, 4*time.Hour // time only passes when the model says so
	m := &model{
		fixture: openFixture(t, rdb, cfg), without: without, rnd: rand.New(rand.NewPCG(seed, 0)), quiet: seed%2 == 1,
		content: map[storage.Path]int{}, hidden: map[storage.Path][]modelHidden{}, wanted: map[storage.Path]int{}, direct: map[storage.Path]int{}, files: map[storage.Path]modelFile{},
		accepted: map[storage.Path]uint64{}, met: map[storage.Path]uint64{}, owner: map[storage.Path]*modelRun{},
		labels: newModelLabels(), visits: newModelVisits(), removals: newModelRemovals(), timers: map[Timer]modelDue{},
	}
	for i, s := range modelPaths {
		m.paths = append(m.paths, path(t, s))
		m.content[m.paths[i]] = 4 * (i % 2) // some are no page at first
	}
	for range modelSteps * (seed%5 + 1) / 5 { // a long play hides what later triggers mend
		if m.step(); m.wrong != "" {
			return m
		}
	}
	ended := m.drain()
	m.labels.oblige(m)
	for _, p := range m.paths {
		if m.files[p].version < m.wanted[p] {
			m.violation("%s is served at version %d, and a trigger was accepted at %d", p, m.files[p].version, m.wanted[p])
		}
	}
	if !ended {
		m.violation("something is owed for ever")
	}
	m.checkFiles()
	if m.claims > m.mayClaim {
		m.violation("%d runs, want at most %d", m.claims, m.mayClaim)
	}
	m.checkIndex()
	m.checkForgotten()
	return m
}

// step does one random thing and checks what must always be true.
func (m *model) step() {
	p := m.paths[m.rnd.IntN(len(m.paths))]
	switch n := m.rnd.IntN(200); {
	case n >= 150:
		m.stepOutside(p, n-150)
	case n >= 100:
		m.stepBulk(n - 100)
	case n < 18:
		m.editPerhaps(p)
		m.ask(p)
	case n < 40:
		m.deliver()
	case n < 66:
		m.advance()
	case n < 70:
		m.deliverTwice()
	case n < 73:
		m.lose()
	case n < 75:
		m.die()
	case n < 83:
		m.pause()
	case n < 85:
		m.timePasses(time.Duration(m.rnd.IntN(30)) * time.Second)
	case m.has(theSweeper):
		m.sweep()
	}
	m.steps++
	m.check()
}

// stepOutside does what comes from visitors, from people at the site's
// machine, and by the clock.
func (m *model) stepOutside(p storage.Path, n int) {
	switch {
	case n < 12:
		m.visit(p)
	case n < 18:
		m.fireTimers()
	case n < 22 && !m.quiet:
		m.schedule(p)
	case n < 25:
		m.remove(p)
	case n < 28:
		m.letComeBack(p)
	case n < 31:
		m.endTombstone()
	case n < 32:
		m.deleteByHand(p)
	case n < 33:
		m.collectGarbage()
	case n < 37:
		m.timePasses(time.Duration(m.rnd.IntN(5000)) * time.Millisecond)
	default:
		m.advance()
	}
}

// between does what others do while a reply is lost and the request is made
// again.
func (m *model) between() {
	if m.depth > 0 {
		return
	}
	m.depth++
	for range m.rnd.IntN(3) {
		m.step()
	}
	m.depth--
}

// lost says whether the next reply is lost.
func (m *model) lost() bool { return m.rnd.IntN(8) == 0 }

// ask lets somebody ask for a page.
func (m *model) ask(p storage.Path) {
	if m.quiet && m.rnd.IntN(8) > 0 {
		m.visit(p)
	} else {
		m.trigger(p)
	}
}

func (m *model) trigger(p storage.Path) {
	req := Request{Priority: Priority(m.rnd.IntN(3)), OnlyPublished: m.rnd.IntN(8) == 0}
	if m.rnd.IntN(3) == 0 {
		req.Recheck = 3 * time.Second
	}
	settles := m.anySettle(&req)
	nonce, version := m.nonce(), m.source(p)
	if settles {
		version = m.hide(p, time.Now().Add(req.Settle-time.Millisecond)) // the ledger counts them
	}
	send := func() Receipt {
		before := time.Now()
		r, err := m.Ledger.trigger(m.ctx, p, req, nonce)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("trigger %s at version %d: %+v", p, version, r)
		if r.Skipped {
			if m.labels.isPage[p] || m.accepted[p] > m.met[p] {
				m.violation("%s is skipped as if it never was a page", p)
			}
			return r
		}
		m.accept(p, r.ID, version)
		m.mayClaim++
		if req.Recheck > 0 {
			m.arm(Timer{Kind: "recheck", Path: p}, before, req.Recheck, req.Recheck+longestModelSettle)
		}
		return r
	}
	r := send()
	if m.lost() {
		m.between()
		r = send()
	}
	m.enqueue(r.Token)
}

// accept notes a trigger of a page: what the source has now must be served.
func (m *model) accept(p storage.Path, id uint64, version int) {
	m.accepted[p] = max(m.accepted[p], id)
	m.wanted[p] = max(m.wanted[p], version)
	m.direct[p] = max(m.direct[p], version)
	m.visits.wanted(p)
}

func (m *model) timePasses(d time.Duration) {
	m.note("%v pass", d)
	m.elapse(d)
	m.shiftDues(d)
	if d < m.cfg.Lease {
		return
	}
	for _, p := range m.paths {
		if m.owner[p] != nil {
			m.owner[p] = nil
			m.mayClaim++
		}
	}
}

func (m *model) sweep() {
	list, _, err := m.Suspects(m.ctx, 4)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, s := range list {
		if s.Label != "" && !m.has(theWalkSweeper) {
			continue
		}
		there := false
		for _, tok := range m.queue {
			there = there || tok.ID == s.ID
		}
		m.between()
		swept, err := m.Sweep(m.ctx, s, there)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("sweep %s%s, running %v, task there %v: %+v", s.Path, s.Label, s.Running, there, swept)
		m.enqueue(swept.Token)
	}
}
