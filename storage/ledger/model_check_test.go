package ledger

import (
	"fmt"
	"strings"
)

// drain lets everything come to its end: whoever runs has died, nothing fails
// any more, and somebody has mended and triggered what had failed for good. It
// returns false when something is owed still.
func (m *model) drain() bool {
	m.runs, m.labels.walks, m.labels.builds = nil, nil, nil
	for round := range 40 {
		m.timePasses(m.cfg.Lease)
		if round == 0 && m.rnd.IntN(3) == 0 { // they mend much
			m.fireTimers() // later ones are those of pages that come back again and again
		}
		m.triggerFailed()
		if m.has(theSweeper) {
			m.sweepAll()
		}
		tasks := m.queue
		m.queue = nil
		for _, tok := range tasks {
			if tok.Label != "" {
				m.walkToEnd(tok)
			} else {
				m.runToEnd(m.wakeAlone(tok), tok.Priority)
			}
		}
		if c, err := m.Counts(m.ctx); err != nil {
			m.t.Fatal(err)
		} else if c.Owed+c.Failed == 0 && len(m.keys("walk:*")) == 0 {
			m.check()
			return len(m.keys("owed:*")) == 0
		}
	}
	return false
}

func (m *model) triggerFailed() {
	list, err := m.rdb.ZRange(m.ctx, m.key("failed"), 0, -1).Result()
	if err != nil {
		m.t.Fatal(err)
	}
	for _, s := range list {
		p := path(m.t, s)
		m.mayClaim++
		r := m.mustTrigger(p, Default)
		m.accept(p, r.ID, m.source(p))
		m.enqueue(r.Token)
	}
}

func (m *model) sweepAll() {
	for _, s := range first(m.mustSuspects(100)) {
		if s.Label == "" || m.has(theWalkSweeper) {
			m.enqueue(m.mustSweep(s, false))
		}
	}
}

func first[T, U any](t T, _ U) T { return t }

func (m *model) runToEnd(run *Run, prio Priority) {
	m.note("claim %s with %s: %s, g0 %d", run.Path, run.Token, run.State, run.G0)
	if run.State != Claimed {
		return
	}
	m.claims++
	r := &modelRun{Run: run, number: m.claims, prio: prio, step: "read"}
	if m.read(r); m.publish(r) {
		return
	}
	end, err := m.finish(r)
	if err != nil {
		m.t.Fatal(err)
	}
	m.finished(r, end)
	m.ended(r, end)
}

func (m *model) violation(format string, args ...any) {
	if m.wrong == "" {
		m.wrong = fmt.Sprintf(format, args...)
	}
}

func (m *model) note(format string, args ...any) {
	m.histories = append(m.histories, fmt.Sprintf(format, args...))
}

// tail is what happened last.
func (m *model) tail() string {
	return strings.Join(m.histories[max(0, len(m.histories)-60):], "\n")
}

// checkIndex compares the sets that walks read with the pages' records. A page
// that came back after it was forgotten may be in the sets of its old tags.
func (m *model) checkIndex() {
	m.collectGarbage()
	var back []string
	for p := range m.removals.forgotten {
		if m.labels.isPage[p] {
			back = append(back, p.String())
		}
	}
	if diff := m.indexDiff(back...); diff != "" {
		m.violation("index (-records +sets):\n%s", diff)
	}
}

// checkForgotten lets enough time pass that no label need be known any more.
func (m *model) checkForgotten() {
	if m.wrong != "" {
		return
	}
	m.elapse(m.keepLabel())
	m.sweepAll()
	if left := m.rdb.HKeys(m.ctx, m.key("label")).Val(); len(left) != 0 {
		m.violation("the labels %v are never forgotten", left)
	}
	if n := m.rdb.ZCard(m.ctx, m.key("dirty")).Val(); n != 0 {
		m.violation("%d members of dirty are never taken out", n)
	}
}
