package ledger

import (
	"time"

	"rebake/storage"
)

// modelVisits is what the model knows of pages that only visitors asked for.
type modelVisits struct {
	open    map[storage.Path]bool     // a run will look
	refused map[storage.Path]modelDue // a run has failed; until when visitors are told so
	touched map[storage.Path]bool     // a run was let through by the fence, and none has ended well since
}

func newModelVisits() modelVisits {
	return modelVisits{open: map[storage.Path]bool{}, refused: map[storage.Path]modelDue{}, touched: map[storage.Path]bool{}}
}

// wanted notes that more than a visitor asks for the page.
func (v *modelVisits) wanted(p storage.Path) {
	delete(v.open, p)
	delete(v.refused, p)
}

// runFailed notes that nothing is left of a visitor's wish but the answer to
// the next ones, unless its file may be there.
func (v *modelVisits) runFailed(p storage.Path) {
	if v.open[p] && !v.touched[p] {
		delete(v.open, p)
		v.refused[p] = dueIn(time.Now(), 10*time.Second, 10*time.Second)
	}
}

// runFinished says whether the run was only for a visitor.
func (v *modelVisits) runFinished(p storage.Path) bool {
	open := v.open[p]
	delete(v.open, p)
	delete(v.touched, p)
	return open
}

// told says whether visitors are still told that a run has failed. Around the
// end of that time the ledger decides.
func (v *modelVisits) told(p storage.Path, recorded bool) bool {
	due, ok := v.refused[p]
	if ok && (due.past() || due.begun() && !recorded) {
		delete(v.refused, p)
		return false
	}
	return ok
}

// visit asks for a page as nginx does when it has no file.
func (m *model) visit(p storage.Path) {
	m.between() // it may be published in this moment
	if m.files[p].there {
		return
	}
	nonce := m.nonce()
	send := func(first Receipt) (MissState, Receipt) {
		state, r, err := m.Ledger.miss(m.ctx, p, "visitor", nonce)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("visit of %s: %s, %+v", p, state, r)
		m.visited(p, state, r, first)
		return state, r
	}
	state, r := send(Receipt{})
	if m.lost() {
		m.between()
		state, r = send(r)
	}
	switch {
	case state == MissPublished && !m.files[p].there:
		m.trigger(p)
	case r.Token != nil && !m.has(theForgetting): // the wish is made an order
		r = m.mustTrigger(p, Critical)
	}
	m.enqueue(r.Token)
}

// visited compares the answer with what is known of the page, and notes what
// it begins. The first receipt is that of the same request.
func (m *model) visited(p storage.Path, state MissState, r, first Receipt) {
	told := m.visits.told(p, state == MissFailed)
	unmet := m.accepted[p] > m.met[p]
	owed := unmet || told || m.visits.open[p]
	repeated := r.Token != nil && first.Token != nil && r.Token.ID == first.Token.ID
	var right bool
	switch {
	case state == MissPublished:
		right = !owed && m.labels.published[p] && (m.files[p].there || m.removals.byHand[p])
	case state == MissGone:
		right = !owed && m.labels.isPage[p] && !m.labels.published[p]
	case state == MissFailed:
		right = owed
	case r.Token == nil:
		right = owed && !told
	case repeated:
		right = owed
	default:
		right = !owed && !m.labels.isPage[p]
		m.visits.open[p] = true
		m.mayClaim++
	}
	if !right {
		m.violation("a visitor of %s is answered %s %+v; owed: %v, a page once: %v, published: %v, as a file: %v",
			p, state, r, owed, m.labels.isPage[p], m.labels.published[p], m.files[p].there)
	}
}
