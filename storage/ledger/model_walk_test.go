package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rebake/storage"
)

// modelLabels is what the model knows of labels, and who works on many pages.
type modelLabels struct {
	newest map[Label]uint64
	tags   map[storage.Path][]string // of a page, and of one that is removed
	isPage map[storage.Path]bool     // it was published once
	asked  []modelAsked
	walks  []*modelWalk
	builds []*modelBuild
}

// modelAsked is one accepted trigger of a label: what the source had then, and
// which pages had the label.
type modelAsked struct {
	label   Label
	content map[storage.Path]int
	covered map[storage.Path]bool
}

// modelWalk is a worker's walk and how far it has come.
type modelWalk struct {
	*Walk
	pages  []storage.Path // that Next has returned and that are not taken
	read   bool           // Next has returned pages since the last Advance
	paused int            // until so many steps are done
}

// modelBuild takes pages with what it has read of all of them at once.
type modelBuild struct {
	Bulk
	listed map[storage.Path]int // versions in the list
	pages  []storage.Path
}

func newModelLabels() modelLabels {
	return modelLabels{
		newest: map[Label]uint64{}, tags: map[storage.Path][]string{}, isPage: map[storage.Path]bool{},
	}
}

// tagsOf decides by the version that was rendered which tags a page has.
func tagsOf(version int) []string {
	tags := []string{fmt.Sprint("t", version%3)}
	if version%4 == 1 {
		tags = append(tags, "odd")
	}
	if version%4 == 3 {
		return nil
	}
	return tags
}

func (m *model) stepBulk(n int) {
	switch {
	case n < 6:
		m.triggerLabel()
	case n < 34:
		m.advanceWalk()
	case n < 36:
		m.dieWalk()
	case n < 39:
		m.pauseWalk()
	case n < 41:
		m.startBuild()
	default:
		m.advanceBuild()
	}
}

// triggerLabel changes what some pages show, and names them by a label only.
func (m *model) triggerLabel() {
	label, prio, nonce := m.anyLabel(), Priority(m.rnd.IntN(3)), m.nonce()
	for _, p := range m.paths {
		m.content[p] += m.rnd.IntN(2)
	}
	send := func() Receipt {
		asked := modelAsked{label: label, content: maps.Clone(m.content), covered: map[storage.Path]bool{}}
		for _, p := range m.paths {
			asked.covered[p] = m.labels.isPage[p] && slices.Contains(labelsOf(p.String(), "/r", m.labels.tags[p]), string(label))
		}
		r, err := m.Ledger.triggerLabel(m.ctx, label, Request{Priority: prio}, nonce)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("trigger %s: %+v", label, r)
		m.labels.newest[label] = max(m.labels.newest[label], r.ID)
		m.labels.asked = append(m.labels.asked, asked)
		return r
	}
	r := send()
	if m.lost() {
		m.between()
		before := len(m.labels.asked)
		r = send()
		m.labels.asked = m.labels.asked[:before] // it may be the same trigger
	}
	m.enqueue(r.Token)
}

// anyLabel prefers one that a page is to join when its run ends.
func (m *model) anyLabel() Label {
	if len(m.runs) > 0 && m.rnd.IntN(2) == 0 {
		if tags := tagsOf(m.runs[m.rnd.IntN(len(m.runs))].version); len(tags) > 0 {
			return Tag(tags[0])
		}
	}
	labels := []Label{Site, Tag("t0"), Tag("t1"), Tag("t2"), Tag("odd"), Prefix(m.paths[1]), Prefix(m.paths[0]), Route("/r")}
	return labels[m.rnd.IntN(len(labels))]
}

// oblige adds what the labels promise to what is wanted of each page.
func (l *modelLabels) oblige(m *model) {
	for _, a := range l.asked {
		for _, p := range m.paths {
			has := l.isPage[p] && slices.Contains(labelsOf(p.String(), "/r", l.tags[p]), string(a.label))
			if a.covered[p] || has {
				m.wanted[p] = max(m.wanted[p], a.content[p])
			}
		}
	}
}

func (m *model) claimWalk(tok Token) {
	owner := m.nonce()
	send := func() *Walk {
		w, err := m.Ledger.claimWalk(m.ctx, tok, owner)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("walk %s by %s with %s: %s, number %d from %q", tok.Label, owner, tok.ID, w.State, w.Number, w.from)
		return w
	}
	w := send()
	if m.lost() {
		m.between()
		w = send()
	}
	if w.State == Claimed {
		m.labels.walks = append(m.labels.walks, &modelWalk{Walk: w})
	}
}

// advanceWalk lets one walker do its next step.
func (m *model) advanceWalk() {
	if len(m.labels.walks) == 0 {
		return
	}
	w := m.labels.walks[m.rnd.IntN(len(m.labels.walks))]
	if w.paused > m.steps {
		return
	}
	switch {
	case len(w.pages) > 0:
		if len(m.runs) < modelRuns {
			p := w.pages[0]
			w.pages = w.pages[1:]
			m.takePage(p, Bulk{Number: w.Number, Priority: w.Priority, Index: w.Label}, -1)
		}
	case w.read:
		w.read = false
		m.keepWalk(w, w.Advance(m.ctx))
	default:
		list, err := w.Next(m.ctx, 2)
		if err != nil {
			m.t.Fatal(err)
		}
		w.pages, w.read = list, len(list) > 0
		if !w.read {
			m.endWalk(w)
		}
	}
}

// endWalk ends a round, perhaps twice because the reply was lost, and perhaps
// with a sign of life that comes late.
func (m *model) endWalk(w *modelWalk) {
	before := twin(w.Walk)
	again, err := w.End(m.ctx)
	m.note("%s ends its walk of %s for %d: again %v, %v", w.owner, w.Label, before.Number, again, err)
	if m.lost() {
		m.between()
		w.Walk = twin(before)
		again, err = w.End(m.ctx)
		m.note("%s ends its walk of %s for %d once more: again %v, %v", w.owner, w.Label, before.Number, again, err)
	}
	if m.rnd.IntN(2) == 0 {
		if err := before.Renew(m.ctx); err != nil && !errors.Is(err, storage.ErrLost) {
			m.t.Fatal(err)
		}
	}
	if m.keepWalk(w, err); err == nil && !again {
		m.forgetWalk(w)
	}
}

func (m *model) keepWalk(w *modelWalk, err error) {
	switch {
	case errors.Is(err, storage.ErrLost):
		m.note("%s has lost its walk of %s", w.owner, w.Label)
		m.forgetWalk(w)
	case err != nil:
		m.t.Fatal(err)
	}
}

func (m *model) forgetWalk(w *modelWalk) {
	m.labels.walks = slices.DeleteFunc(m.labels.walks, func(o *modelWalk) bool { return o == w })
}

// dieWalk ends a walker, half of the time with a word.
func (m *model) dieWalk() {
	if len(m.labels.walks) == 0 {
		return
	}
	w := m.labels.walks[m.rnd.IntN(len(m.labels.walks))]
	m.note("%s dies, of %s", w.owner, w.Label)
	m.forgetWalk(w)
	if m.rnd.IntN(2) == 0 {
		if err := w.Release(m.ctx); err != nil {
			m.t.Fatal(err)
		}
		return
	}
	m.endWalkLease(w)
}

// pauseWalk stops a walker for longer than its lease.
func (m *model) pauseWalk() {
	if len(m.labels.walks) > 0 {
		w := m.labels.walks[m.rnd.IntN(len(m.labels.walks))]
		w.paused = m.steps + m.rnd.IntN(40)
		m.note("%s pauses, of %s", w.owner, w.Label)
		m.endWalkLease(w)
	}
}

// endWalkLease makes the lease of a walk end, if the walk is still its.
func (m *model) endWalkLease(w *modelWalk) {
	if own, _ := m.rdb.HGet(m.ctx, m.key("walk:"+string(w.Label)), "own").Result(); own == w.owner {
		m.fixture.endWalkLease(w.Label)
	}
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
		Bulk: Bulk{Number: number, G0: g0}, listed: maps.Clone(m.content), pages: slices.Clone(m.paths),
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
		run, err := m.Ledger.take(m.ctx, p, b, owner)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("take %s for %d by %s: %s, g0 %d", p, b.Number, owner, run.State, run.G0)
		if run.State == Met && m.met[p] < b.Number {
			m.violation("%s is said to have met %d, and has met %d", p, b.Number, m.met[p])
		}
		m.taken(run, b)
		return run
	}
	r := m.begin(p, owner, b.Priority, send)
	if version >= 0 {
		r.version, r.step = version, "publish"
	}
}

// taken notes that a bulk has triggered a page.
func (m *model) taken(run *Run, b Bulk) {
	if run.State == Met {
		return
	}
	m.accepted[run.Path] = max(m.accepted[run.Path], b.Number)
	m.met[run.Path] = min(m.met[run.Path], b.Number-1) // of a path that is no page it is not known
	m.mayClaim++
}

// finish tells the ledger what a run has published.
func (m *model) finish(r *modelRun, outcome Outcome) (End, error) {
	if !m.world.labelCheck {
		m.rdb.Del(m.ctx, m.key("label"))
	}
	page := storage.Page{Path: r.Path, Route: "/r", Body: []byte{byte(r.version)}, Tags: tagsOf(r.version)}
	return r.Finish(m.ctx, outcome, page, time.Unix(1, 0))
}

// finished notes what a run has met, and which labels were triggered in vain
// for it: of those that the page had, and of those that it has now.
func (m *model) finished(r *modelRun) {
	p, l := r.Path, &m.labels
	m.met[p] = max(m.met[p], r.G0)
	tags := slices.Clone(l.tags[p])
	if !gone(r.version) {
		l.tags[p], l.isPage[p] = tagsOf(r.version), true
		tags = append(tags, l.tags[p]...)
	}
	if !m.world.labelCheck {
		return
	}
	for _, label := range labelsOf(p.String(), "/r", tags) {
		if n := l.newest[Label(label)]; n > r.G0 {
			m.accepted[p] = max(m.accepted[p], n)
			m.mayClaim++
		}
	}
}

// walkToEnd walks for a token while nobody disturbs it.
func (m *model) walkToEnd(tok Token) {
	w := m.claimedWalk(tok)
	for w.State == Claimed {
		list, err := w.Next(m.ctx, 100)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, p := range list {
			b := Bulk{Number: w.Number, Priority: w.Priority, Index: w.Label}
			run, err := m.Take(m.ctx, p, b)
			if err != nil {
				m.t.Fatal(err)
			}
			m.taken(run, b)
			m.runToEnd(run, w.Priority)
		}
		if len(list) > 0 {
			m.keepWalk(&modelWalk{Walk: w}, w.Advance(m.ctx))
		} else if again, err := w.End(m.ctx); err != nil || !again {
			m.keepWalk(&modelWalk{Walk: w}, err)
			return
		}
	}
}

// claimedWalk claims a walk, whatever comes of it.
func (m *model) claimedWalk(tok Token) *Walk {
	w, err := m.ClaimWalk(m.ctx, tok)
	if err != nil {
		m.t.Fatal(err)
	}
	return w
}
