package ledger

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"rebake/storage"
)

// modelWalk is a worker's walk and how far it has come.
type modelWalk struct {
	*Walk
	pages  []storage.Path // that Next has returned and that are not taken
	read   bool           // Next has returned pages since the last Advance
	paused int            // until so many steps are done
}

func (m *model) stepBulk(n int) {
	switch {
	case n < 6:
		m.triggerLabel(m.anyLabel())
	case n < 34:
		m.advanceWalk()
	case n < 36:
		m.dieWalk()
	case n < 39:
		m.pauseWalk()
	case n < 41 && !m.quiet:
		m.startBuild()
	default:
		m.advanceBuild()
	}
}

func (m *model) claimWalk(tok Token) {
	owner := m.nonce()
	before, shown := m.mustSequence(), m.sources()
	send := func() *Walk {
		m.beforeClaim("walk:"+string(tok.Label), theNewNumber)
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
	switch w.State {
	case Claimed:
		m.walkBegun(w)
		if w.Number > before { // it was quiet just now
			m.labels.number(w.Number, shown)
		}
		m.labels.walks = append(m.labels.walks, &modelWalk{Walk: w})
	case Early:
		m.enqueue(&tok)
	}
}

// walkBegun notes the number that a walk has taken for what has settled.
func (m *model) walkBegun(w *Walk) {
	text := m.rdb.HGet(m.ctx, m.key("label"), string(w.Label)).Val()
	number, _, _ := strings.Cut(text, " ")
	n, _ := strconv.ParseUint(number, 10, 64)
	m.labels.newest[w.Label] = max(m.labels.newest[w.Label], n)
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
	case m.rnd.IntN(3) == 0:
		m.askForPart(w)
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
	if m.rnd.IntN(3) == 0 { // in the last moment
		m.triggerLabel(w.Label)
	}
	if kind, _ := w.Label.split(); kind == "item" && m.rnd.IntN(3) == 0 {
		m.postponeWalk(w)
		return
	}
	before := twin(w.Walk)
	again, err := w.End(m.ctx)
	m.note("%s ends its walk of %s for %d: again %v, %v", w.owner, w.Label, before.Number, again, err)
	if m.lost() {
		m.between()
		w.Walk = twin(before)
		again, err = w.End(m.ctx)
		m.note("%s ends its walk of %s for %d once more: again %v, %v", w.owner, w.Label, before.Number, again, err)
	}
	if m.rnd.IntN(2) == 0 { // if the walker dies now, another begins there
		if err := before.Renew(m.ctx); err != nil && !errors.Is(err, storage.ErrLost) {
			m.t.Fatal(err)
		}
	}
	if m.keepWalk(w, err); err == nil && !again {
		m.forgetWalk(w)
		if m.enqueue(w.Token); w.Token == nil {
			m.walked(w.Label)
		}
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
			if m.enqueue(w.Token); err == nil && w.Token == nil {
				m.walked(w.Label)
			}
			return
		}
	}
}

// claimedWalk claims a walk, whatever comes of it.
func (m *model) claimedWalk(tok Token) *Walk {
	m.beforeClaim("walk:"+string(tok.Label), theNewNumber)
	w, err := m.ClaimWalk(m.ctx, tok)
	if err != nil {
		m.t.Fatal(err)
	}
	if w.State == Claimed {
		m.walkBegun(w)
	}
	return w
}
