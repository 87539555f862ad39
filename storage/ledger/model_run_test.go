package ledger

import (
	"errors"
	"slices"
	"time"

	"rebake/storage"
)

// advance lets one worker, perhaps after a long pause, do its next step.
func (m *model) advance() {
	if len(m.runs) == 0 {
		return
	}
	r := m.runs[m.rnd.IntN(len(m.runs))]
	if r.paused > m.steps || r.asking {
		return
	}
	r.asking = true
	done := m.next(r)
	if r.asking = false; done {
		m.forget(r)
	}
}

// pause stops a worker for longer than its lease. It does not know of that
// when it goes on.
func (m *model) pause() {
	if len(m.runs) == 0 {
		return
	}
	r := m.anyRun()
	r.paused = m.steps + m.rnd.IntN(40)
	m.note("%s pauses, and its lease of %s ends", r.owner, r.Path)
	if m.owner[r.Path] == r {
		m.endLease(r.Path)
		m.owner[r.Path] = nil
		m.mayClaim++
	}
}

// die ends a worker without a word.
func (m *model) die() {
	if len(m.runs) > 0 {
		r := m.anyRun()
		m.note("%s dies, of %s", r.owner, r.Path)
		m.forget(r)
	}
}

// anyRun prefers the worst moment, in quiet plays: a file was changed, and the
// ledger was not told.
func (m *model) anyRun() *modelRun {
	if i := slices.IndexFunc(m.runs, func(r *modelRun) bool { return r.step == "end" }); i >= 0 && m.quiet {
		return m.runs[i]
	}
	return m.runs[m.rnd.IntN(len(m.runs))]
}

func (m *model) forget(r *modelRun) {
	for i := range m.runs {
		if m.runs[i] == r {
			m.runs = append(m.runs[:i], m.runs[i+1:]...)
			return
		}
	}
}

// next does a run's next step and says whether it was the last.
func (m *model) next(r *modelRun) (done bool) {
	switch r.step {
	case "read", "look": // the latter when it was read before
		m.read(r)
		return false
	case "publish":
		switch n := m.rnd.IntN(20); {
		case n >= 13 && m.quiet && !r.remover, n < 2 && !r.remover:
			m.end(r, false, func() (End, error) { return r.Fail(m.ctx, Retrying, 4*time.Second, "slow") })
			return true
		case n < 3:
			m.end(r, false, func() (End, error) { return r.Fail(m.ctx, Failed, 0, "broken") })
			return true
		case n < 4 && !r.remover:
			m.release(r)
			return true
		}
		return m.publish(r)
	}
	if m.visits.open[r.Path] && m.rnd.IntN(3) == 0 { // in the last moment
		m.triggerLabel(m.labelOf(r))
	}
	m.end(r, true, func() (End, error) { return m.finish(r) })
	return true
}

// read looks whether the page is to stay removed, and what the source has.
func (m *model) read(r *modelRun) {
	kept, err := m.Kept(m.ctx, r.Path)
	if err != nil {
		m.t.Fatal(err)
	}
	r.remove = kept != nil && m.has(theKeptMark)
	if r.step != "look" {
		r.version = m.source(r.Path)
	}
	r.step = "publish"
	m.note("%s reads %s at version %d, kept removed: %v", r.owner, r.Path, r.version, r.remove)
}

// publish is one step, as it is in the output: the fence is asked within the
// page's lock.
func (m *model) publish(r *modelRun) (done bool) {
	if gone(r.version) && !r.remove && m.has(theSecondReading) && !m.confirm(r) {
		return true
	}
	file := m.files[r.Path]
	err := r.Fence(m.ctx, file.there)
	switch {
	case err == nil:
		m.owner[r.Path] = r
		m.visits.touched[r.Path] = true
	case m.has(theFence):
		m.note("%s may not publish %s: %v", r.owner, r.Path, err)
		if errors.Is(err, storage.ErrForeign) {
			m.violation("%s has a file that the ledger takes for another's", r.Path)
		}
		return true
	}
	m.note("%s publishes %s at version %d, as a file: %v", r.owner, r.Path, r.version, !r.removes())
	m.checkPublication(r)
	delete(m.removals.byHand, r.Path)
	m.files[r.Path] = modelFile{there: !r.removes(), version: r.version, by: r.number}
	r.step = "end"
	return false
}

// end ends a run, perhaps twice because the reply was lost.
func (m *model) end(r *modelRun, finish bool, send func() (End, error)) {
	request := func() End {
		end, err := send()
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("%s ends its run of %s: %+v", r.owner, r.Path, end)
		return end
	}
	end := request()
	switch {
	case end.Lost:
	case finish:
		m.finished(r, end)
	default:
		m.visits.runFailed(r.Path)
	}
	m.ended(r, end)
	if m.lost() {
		m.between()
		second := request()
		if !end.Lost && end.Token != nil && second.Token != nil && second.Token.ID != end.Token.ID {
			m.violation("the end of %s of %s made two tokens", r.owner, r.Path)
		}
	}
}

// ended notes what the ledger has done, and wakes the next worker.
func (m *model) ended(r *modelRun, end End) {
	if end.Lost {
		return
	}
	m.owner[r.Path] = nil
	if end.Wait > 0 {
		m.mayClaim++
		// asynq has the task still.
		s := m.mustState(r.Path)
		tok, err := m.rdb.HGet(m.ctx, m.key("owed:"+r.Path.String()), "tok").Result()
		if err != nil || s.Owed == nil {
			m.t.Fatalf("read the token of %s: %v", r.Path, err)
		}
		m.enqueue(&Token{Path: r.Path, ID: tok, Priority: r.prio})
	}
	m.enqueue(end.Token)
}

func (m *model) release(r *modelRun) {
	m.note("%s releases %s", r.owner, r.Path)
	if err := r.Release(m.ctx); err != nil {
		m.t.Fatal(err)
	}
	if m.owner[r.Path] == r {
		m.owner[r.Path] = nil
		m.mayClaim++
	}
}
