package ledger

import (
	"slices"
	"time"

	"rebake/storage"
)

// modelRemovals is what the model knows of pages that are taken away.
type modelRemovals struct {
	readGone  map[storage.Path]time.Time // when the source first said so, of those that are not removed yet
	marked    map[storage.Path]bool      // it is to stay removed
	sealed    map[storage.Path]bool      // no run may publish the page
	byHand    map[storage.Path]bool      // somebody has deleted the file
	forgotten map[storage.Path]bool      // the record of its removal was lost
}

func newModelRemovals() modelRemovals {
	return modelRemovals{
		readGone: map[storage.Path]time.Time{}, marked: map[storage.Path]bool{}, sealed: map[storage.Path]bool{},
		byHand: map[storage.Path]bool{}, forgotten: map[storage.Path]bool{},
	}
}

// remove begins what a person does who takes a page away, perhaps for good.
// The removal itself is a run like others, of a worker that may die.
func (m *model) remove(p storage.Path) {
	if len(m.runs) >= modelRuns {
		return
	}
	if m.rnd.IntN(2) == 0 {
		if err := m.Keep(m.ctx, p, "ann", ""); err != nil {
			m.t.Fatal(err)
		}
		m.note("%s is to stay removed", p)
		m.removals.marked[p] = true
		m.between()
	}
	owner := m.nonce()
	r := &modelRun{Run: &Run{}, prio: Critical, step: "publish", remove: true, remover: true}
	send := func() {
		run, err := m.Ledger.seize(m.ctx, p, "removed", owner)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("%s seizes %s, g0 %d", owner, p, run.G0)
		if run.G0 == r.G0 { // the same request again
			return
		}
		m.claims++
		m.mayClaim++
		m.reveal(p, time.Now().Add(longestModelSettle)) // who removes a page waits for nothing
		r.Run, r.number, r.version = run, m.claims, m.content[p]
		m.owner[p] = r
		m.accept(p, run.G0, r.version)
		delete(m.timers, Timer{Kind: "recheck", Path: p})
		delete(m.removals.readGone, p)
		m.removals.sealed[p] = m.removals.sealed[p] || m.removals.marked[p]
	}
	send()
	m.runs = append(m.runs, r)
	if m.lost() {
		m.between()
		send()
	}
}

// letComeBack ends what keeps a page removed, and perhaps asks for the page.
func (m *model) letComeBack(p storage.Path) {
	if _, err := m.Unkeep(m.ctx, p); err != nil {
		m.t.Fatal(err)
	}
	m.note("%s may come back", p)
	delete(m.removals.marked, p)
	delete(m.removals.sealed, p)
	if m.rnd.IntN(2) == 0 {
		m.trigger(p)
	}
}

// deleteByHand deletes a page's file, and tells nobody.
func (m *model) deleteByHand(p storage.Path) {
	file := m.files[p]
	if file.there {
		m.note("somebody deletes the file of %s", p)
		m.files[p] = modelFile{version: file.version, by: file.by}
		m.removals.byHand[p] = true
	}
}

// confirm asks whether a page that the source does not have may be removed,
// perhaps twice because the reply was lost. When it may not, its run has ended.
func (m *model) confirm(r *modelRun) bool {
	request := func() (bool, End) {
		confirmed, end, err := r.Gone(m.ctx)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("%s finds %s gone, confirmed: %v, %+v", r.owner, r.Path, confirmed, end)
		return confirmed, end
	}
	before := time.Now()
	confirmed, end := request()
	if !confirmed {
		if _, ok := m.removals.readGone[r.Path]; !ok && !end.Lost {
			m.removals.readGone[r.Path] = before
		}
		m.ended(r, end)
	}
	if m.lost() {
		m.between()
		second, end := request()
		if second && !confirmed {
			m.violation("the same reading of %s is confirmed the second time", r.Path)
		}
		if confirmed && !second {
			m.ended(r, end)
		}
		confirmed = second
	}
	return confirmed
}

// endTombstone makes the record of a removed page expire. That takes a month,
// so no run and no list is that old.
func (m *model) endTombstone() {
	i := slices.IndexFunc(m.paths, func(p storage.Path) bool {
		return m.labels.isPage[p] && !m.labels.published[p] &&
			!slices.ContainsFunc(m.runs, func(r *modelRun) bool { return r.Path == p })
	})
	if i < 0 || len(m.labels.builds) > 0 {
		return
	}
	p := m.paths[i]
	m.note("the tombstone of %s expires", p)
	m.dropRecord(p)
	delete(m.labels.isPage, p)
	delete(m.labels.tags, p)
	for _, asked := range m.labels.asked {
		delete(asked.covered, p)
	}
}

// collectGarbage takes out of the indexes what is no page any more.
func (m *model) collectGarbage() {
	if _, err := m.Forget(m.ctx, Site, m.paths, false); err != nil {
		m.t.Fatal(err)
	}
	m.forgetTagged(false)
	m.note("garbage is collected")
}

func (m *model) dropRecord(p storage.Path) {
	m.removals.forgotten[p] = true
	if err := m.rdb.Del(m.ctx, m.key("page:"+p.String())).Err(); err != nil {
		m.t.Fatal(err)
	}
}
