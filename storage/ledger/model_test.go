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
// Labels, walks and builds are in files of their own.
//
// REBAKE_MODEL_SEED=7 go test -run TestModel ./storage/ledger   runs one seed.
const (
	modelSeeds = 100 // about six seconds
	modelSteps = 300 // at most
	modelRuns  = 8   // at most, the paused ones too
)

// modelPaths are of several prefixes, and of one that only looks like another.
var modelPaths = []string{"/", "/a", "/a/1", "/a-1", "/b/1", "/b/2"}

func TestModel(t *testing.T) {
	rdb := redistest.Start(t)
	for _, seed := range seeds(t) {
		if m := playModel(t, rdb, seed, modelWorld{true, true, true, true}); m.wrong != "" {
			t.Fatalf("REBAKE_MODEL_SEED=%d: %s\n%s", seed, m.wrong, m.tail())
		}
	}
}

// The controls show that the model test would see what the fence and the
// sweeper are for.
func TestModel_WithoutFenceAnOlderPageOverwritesANewer(t *testing.T) {
	wantViolation(t, modelWorld{fence: false, sweeper: true, walkSweeper: true, labelCheck: true})
}

func TestModel_WithoutSweeperATriggerIsLost(t *testing.T) {
	wantViolation(t, modelWorld{fence: true, sweeper: false, walkSweeper: true, labelCheck: true})
}

func TestModel_WithoutLabelCheckAPageThatJoinsATagIsMissed(t *testing.T) {
	wantViolation(t, modelWorld{fence: true, sweeper: true, walkSweeper: true, labelCheck: false})
}

func TestModel_WithoutWalkSweeperALabelIsLost(t *testing.T) {
	wantViolation(t, modelWorld{fence: true, sweeper: true, walkSweeper: false, labelCheck: true})
}

func wantViolation(t *testing.T, world modelWorld) {
	t.Helper()
	rdb := redistest.Start(t)
	for seed := range uint64(modelSeeds) {
		if m := playModel(t, rdb, seed, world); m.wrong != "" {
			t.Logf("seed %d: %s", seed, m.wrong)
			return
		}
	}
	t.Errorf("%d seeds found nothing wrong", modelSeeds)
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

// modelWorld says which safeguards are there.
type modelWorld struct{ fence, sweeper, walkSweeper, labelCheck bool }

// model is one play. The maps are the truth that the ledger is compared with.
type model struct {
	*fixture
	world modelWorld
	rnd   *rand.Rand
	steps int
	depth int // of steps between a request and its repetition

	paths     []storage.Path
	content   map[storage.Path]int    // version that the source has now
	wanted    map[storage.Path]int    // version at the last accepted trigger
	served    map[storage.Path]int    // version that a visitor sees
	accepted  map[storage.Path]uint64 // newest trigger
	met       map[storage.Path]uint64 // newest trigger that a finished run has met
	owner     map[storage.Path]*modelRun
	queue     []Token // what asynq has
	runs      []*modelRun
	labels    modelLabels
	claims    int
	mayClaim  int // triggers, failures, releases and dead leases: each allows one claim
	wrong     string
	histories []string
}

// modelRun is a worker's run and how far it has come.
type modelRun struct {
	*Run
	prio    Priority
	step    string // read, publish or end
	version int    // of the content that it read
	paused  int    // until so many steps are done
}

// gone says which versions of the content are that there is no page.
func gone(version int) bool { return version%5 == 4 }

func playModel(t *testing.T, s *redistest.Server, seed uint64, world modelWorld) *model {
	t.Helper()
	rdb := s.Client()
	// No crash of Redis is played here, so it need not wait for the disk.
	if err := rdb.ConfigSet(t.Context(), "appendfsync", "no").Err(); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig(site)
	cfg.Lease, cfg.MaxRun = time.Hour, 4*time.Hour // time only passes when the model says so
	m := &model{
		fixture: openFixture(t, rdb, cfg), world: world, rnd: rand.New(rand.NewPCG(seed, 0)),
		content: map[storage.Path]int{}, wanted: map[storage.Path]int{}, served: map[storage.Path]int{},
		accepted: map[storage.Path]uint64{}, met: map[storage.Path]uint64{}, owner: map[storage.Path]*modelRun{},
	}
	for _, s := range modelPaths {
		m.paths = append(m.paths, path(t, s))
	}
	m.labels = newModelLabels()
	for range modelSteps * (seed%5 + 1) / 5 { // a long play hides what later triggers mend
		if m.step(); m.wrong != "" {
			return m
		}
	}
	ended := m.drain()
	m.labels.oblige(m)
	for _, p := range m.paths {
		if m.served[p] < m.wanted[p] {
			m.violation("%s is served at version %d, and a trigger was accepted at %d", p, m.served[p], m.wanted[p])
		}
	}
	if !ended {
		m.violation("something is owed for ever")
	}
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
	switch n := m.rnd.IntN(150); {
	case n >= 100:
		m.stepBulk(n - 100)
	case n < 18:
		m.content[p]++
		m.trigger(p)
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
	case m.world.sweeper:
		m.sweep()
	}
	m.steps++
	m.checkOwed()
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

func (m *model) trigger(p storage.Path) {
	prio := Priority(m.rnd.IntN(3))
	nonce, version := m.nonce(), m.content[p]
	send := func() Receipt {
		r, err := m.Ledger.trigger(m.ctx, p, Request{Priority: prio}, nonce)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("trigger %s at version %d: %+v", p, version, r)
		m.accepted[p] = max(m.accepted[p], r.ID)
		m.mayClaim++
		return r
	}
	r := send()
	if m.lost() {
		m.between()
		r = send()
	}
	m.wanted[p] = max(m.wanted[p], version)
	m.enqueue(r.Token)
}

func (m *model) timePasses(d time.Duration) {
	m.note("%v pass", d)
	m.elapse(d)
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
		if s.Label != "" && !m.world.walkSweeper {
			continue
		}
		there := false
		for _, tok := range m.queue {
			there = there || tok.ID == s.ID
		}
		m.between()
		tok, err := m.Sweep(m.ctx, s, there)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("sweep %s%s, running %v, task there %v: %+v", s.Path, s.Label, s.Running, there, tok)
		m.enqueue(tok)
	}
}
