package ledger

import (
	"slices"

	"rebake/storage"
)

// modelBuild takes pages with what it has read of all of them at once.
type modelBuild struct {
	Bulk
	listed map[storage.Path]int // versions in the list
	pages  []storage.Path
}

// startBuild reads the source and the ledger's clock for all pages at once.
func (m *model) startBuild() {
	number, err := m.NextNumber(m.ctx)
	if err != nil {
		m.t.Fatal(err)
	}
	m.between()
	g0, err := m.Sequence(m.ctx)
	if err != nil {
		m.t.Fatal(err)
	}
	m.note("build %d reads its list at %d", number, g0)
	m.labels.builds = append(m.labels.builds, &modelBuild{
		Bulk: Bulk{Number: number, G0: g0}, listed: m.sources(), pages: slices.Clone(m.paths),
	})
}

func (m *model) advanceBuild() {
	if len(m.labels.builds) == 0 || len(m.runs) >= modelRuns {
		return
	}
	i := m.rnd.IntN(len(m.labels.builds))
	b := m.labels.builds[i]
	if len(b.pages) == 0 {
		m.labels.builds = slices.Delete(m.labels.builds, i, i+1)
		return
	}
	p := b.pages[0]
	b.pages = b.pages[1:]
	if bulk := b.Bulk; gone(b.listed[p]) { // it is not in the list
		bulk.G0 = 0
		m.takePage(p, bulk, -1)
	} else {
		m.takePage(p, bulk, b.listed[p])
	}
	m.wanted[p] = max(m.wanted[p], b.listed[p])
}

// takePage triggers and claims a page. A version that is not negative was read
// before.
func (m *model) takePage(p storage.Path, b Bulk, version int) {
	owner := m.nonce()
	send := func() *Run {
		m.beforeClaim("owed:"+p.String(), theSecondLook)
		run, err := m.Ledger.take(m.ctx, p, b, owner)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("take %s for %d by %s: %s, g0 %d", p, b.Number, owner, run.State, run.G0)
		if run.State == Met && m.met[p] < b.Number && m.labels.isPage[p] {
			m.violation("%s is said to have met %d, and has met %d", p, b.Number, m.met[p])
		}
		m.taken(run, b)
		return run
	}
	r := m.begin(p, owner, b.Priority, send)
	if version >= 0 {
		r.version, r.step = version, "look"
	}
}

// taken notes that a bulk has triggered a page.
func (m *model) taken(run *Run, b Bulk) {
	if run.State == Met {
		return
	}
	m.accepted[run.Path] = max(m.accepted[run.Path], b.Number)
	m.met[run.Path] = min(m.met[run.Path], b.Number-1) // of a path that is no page it is not known
	m.visits.wanted(run.Path)
	m.mayClaim++
}
