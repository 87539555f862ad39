package ledger

import (
	"maps"

	"rebake/storage"
)

// number notes what the source showed when a label got its number.
func (l *modelLabels) number(n uint64, shown map[storage.Path]int) {
	if _, known := l.numbers[n]; !known {
		l.numbers[n] = shown
	}
}

// mustSequence is the number of the newest trigger.
func (m *model) mustSequence() uint64 {
	n, err := m.Sequence(m.ctx)
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

// askForPart lets a walk ask for more, of its own number: what the source
// showed when that was given must be served, of a page or of all of a label.
func (m *model) askForPart(w *modelWalk) {
	req := Request{Priority: Priority(m.rnd.IntN(3)), PartOf: w.Number, OnlyPublished: true}
	m.anySettle(&req)
	if !m.has(thePartsNumber) {
		req.PartOf = 1
	}
	shown := maps.Clone(m.labels.numbers[w.Number]) // nil when a timer gave it
	if m.rnd.IntN(2) == 0 {
		m.askForPage(m.paths[m.rnd.IntN(len(m.paths))], w.Number, req, shown)
	} else {
		m.askForLabel(m.anyLabel(), w.Number, req, shown)
	}
}

func (m *model) askForPage(p storage.Path, number uint64, req Request, shown map[storage.Path]int) {
	nonce := m.nonce()
	send := func() Receipt {
		isPage := m.labels.isPage[p]
		r, err := m.Ledger.trigger(m.ctx, p, req, nonce)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("trigger %s as a part of %d at version %d: %+v", p, number, shown[p], r)
		switch {
		case !r.Skipped:
			m.accept(p, number, shown[p])
			m.met[p] = min(m.met[p], number-1) // as in taken
			m.mayClaim++
		case isPage && m.met[p] < number && m.has(thePartsNumber):
			m.violation("%s is said to have met %d, and has met %d", p, number, m.met[p])
		case isPage:
			m.wanted[p] = max(m.wanted[p], shown[p])
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

func (m *model) askForLabel(label Label, number uint64, req Request, shown map[storage.Path]int) {
	nonce := m.nonce()
	asked := m.askedNow(label)
	asked.content = shown
	send := func() Receipt {
		r, err := m.Ledger.triggerLabel(m.ctx, label, req, nonce)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("trigger %s as a part of %d: %+v", label, number, r)
		return r
	}
	r := send()
	if m.lost() {
		m.between()
		r = send()
	}
	r.ID = number
	m.acceptLabel(asked, r)
	m.enqueue(r.Token)
}
