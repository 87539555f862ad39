package ledger

import (
	"maps"
	"slices"
	"strings"
	"time"

	"rebake/storage"
)

// modelDue is when something is due: between two times, since the ledger's
// clock goes on while it is asked.
type modelDue struct{ from, to time.Time }

// modelSlack is what the clocks of the test and of Redis may differ.
const modelSlack = 100 * time.Millisecond

// dueIn is when something is due that was asked for between before and now.
func dueIn(before time.Time, least, most time.Duration) modelDue {
	return modelDue{before.Add(least - modelSlack), time.Now().Add(most + modelSlack)}
}

// begun says that it may be due, past that it must be.
func (d modelDue) begun() bool { return !time.Now().Before(d.from) }
func (d modelDue) past() bool  { return time.Now().After(d.to) }

func (d modelDue) shift(by time.Duration) modelDue { return modelDue{d.from.Add(-by), d.to.Add(-by)} }

// shiftDues makes time pass.
func (m *model) shiftDues(by time.Duration) {
	for t, due := range m.timers {
		m.timers[t] = due.shift(by)
	}
	for p, due := range m.visits.refused {
		m.visits.refused[p] = due.shift(by)
	}
	for _, hidden := range m.hidden {
		for i := range hidden {
			hidden[i].at = hidden[i].at.Add(-by)
		}
	}
	for p, at := range m.removals.readGone {
		m.removals.readGone[p] = at.Add(-by)
	}
}

// arm notes that a timer is set, instead of the one of its name.
func (m *model) arm(t Timer, before time.Time, least, most time.Duration) {
	m.timers[t] = dueIn(before, least, most)
}

// revalidateOf decides by the version whether a page comes back by itself.
func revalidateOf(version int) time.Duration {
	if version%3 == 1 {
		return 10 * time.Second
	}
	return 0
}

// wakeOf decides by the version whether the content names a time, and which.
// Somebody who removes a page knows of none.
func (m *model) wakeOf(r *modelRun) time.Time {
	if r.before.IsZero() {
		r.before = time.Now()
		if r.version%2 == 0 && !r.remove {
			r.wake = r.before.Add(5 * time.Second)
		}
	}
	return r.wake
}

// finishTimers notes what the end of a run does to the page's timers: the
// route's and the content's are as this run says, and others are left alone.
func (m *model) finishTimers(r *modelRun) {
	timer, date := Timer{Kind: "timer", Path: r.Path}, Timer{Kind: "date", Path: r.Path}
	delete(m.timers, timer)
	delete(m.timers, date)
	if period := revalidateOf(r.version); period > 0 && !r.removes() {
		m.arm(timer, r.before, period*9/10, period*11/10)
	}
	if !r.wake.IsZero() {
		m.timers[date] = modelDue{r.wake.Add(-modelSlack), r.wake.Add(modelSlack)}
	}
}

// schedule asks for a page, or for a label, at some time.
func (m *model) schedule(p storage.Path) {
	t := Timer{Kind: "scheduled", Path: p}
	if m.rnd.IntN(2) == 0 {
		t = Timer{Kind: "scheduled", Label: m.anyLabel()}
	}
	at := time.Now().Add(time.Duration(m.rnd.IntN(10)) * time.Second)
	if err := m.Ledger.schedule(m.ctx, t, at); err != nil {
		m.t.Fatal(err)
	}
	m.note("%s is set", t.name())
	m.timers[t] = modelDue{at.Add(-modelSlack), at.Add(modelSlack)}
}

// fireTimers does what every process does now and then: it reads what is due,
// and fires one after the other. Others may have done so meanwhile.
func (m *model) fireTimers() {
	before := time.Now()
	list, err := m.DueTimers(m.ctx, 100)
	if err != nil {
		m.t.Fatal(err)
	}
	due := map[Timer]bool{}
	for _, t := range list {
		due[t] = true
		if set, ok := m.timers[t]; !ok || !set.begun() {
			m.violation("%s is said to be due; it is set: %v", t.name(), ok)
		}
	}
	for t, set := range m.timers {
		if before.After(set.to) && !due[t] {
			m.violation("%s is due, and not said to be", t.name())
		}
	}
	if others := m.timersSet(); len(others) > 0 { // due or not
		list = append(list, others[m.rnd.IntN(len(others))])
	}
	for _, t := range list {
		m.between()
		m.fire(t)
	}
}

// timersSet are the timers that are set, in the order of their names.
func (m *model) timersSet() []Timer {
	return slices.SortedFunc(maps.Keys(m.timers), func(a, b Timer) int { return strings.Compare(a.name(), b.name()) })
}

// fire fires a timer, perhaps twice because the reply was lost. What it is
// about has changed by itself by then.
func (m *model) fire(t Timer) {
	prio, nonce := Priority(m.rnd.IntN(3)), m.nonce()
	if t.Label == "" {
		m.editPerhaps(t.Path)
	}
	var r Receipt
	send := func() {
		asked := m.askedNow(t.Label)
		if !m.has(theTimerStep) && m.breakTimer(t) {
			return
		}
		first, before := r, time.Now()
		var err error
		if r, err = m.Ledger.fire(m.ctx, t, prio, nonce); err != nil {
			m.t.Fatal(err)
		}
		m.note("fire %s: %+v", t.name(), r)
		m.fired(t, asked, before, r, first)
	}
	send()
	if m.lost() {
		m.between()
		send()
	}
	m.enqueue(r.Token)
}

// breakTimer takes a timer out and dies before it triggers, now and then.
func (m *model) breakTimer(t Timer) bool {
	if m.rnd.IntN(4) > 0 {
		return false
	}
	m.rdb.ZRem(m.ctx, m.key("timers"), t.name())
	return true
}

// fired compares the answer with what is known of the timer, and notes what
// it begins. The first receipt is that of the same request.
func (m *model) fired(t Timer, asked modelAsked, before time.Time, r, first Receipt) {
	set, ok := m.timers[t]
	switch {
	case r.Skipped:
		if ok && before.After(set.to) {
			m.violation("%s is due and was skipped", t.name())
		}
		return
	case first.Token != nil && r.Token != nil && r.Token.ID == first.Token.ID:
		return
	case !ok || !set.begun():
		m.violation("%s has fired; it is set: %v", t.name(), ok)
	}
	delete(m.timers, t)
	if t.Label != "" {
		m.acceptLabel(asked, r)
		return
	}
	m.accept(t.Path, r.ID, m.source(t.Path))
	m.mayClaim++
}

// checkTimers compares the timers that are set with those that should be.
func (m *model) checkTimers(left map[string]time.Time) {
	for t, due := range m.timers {
		at, ok := left[t.name()]
		delete(left, t.name())
		if !ok || at.Before(due.from) || at.After(due.to) {
			m.violation("%s is set: %v, for %v; want between %v and %v", t.name(), ok, at, due.from, due.to)
		}
	}
	for name := range left {
		m.violation("%s is set, and nobody asked for it", name)
	}
}
