package ledger

import (
	"time"
)

// advance lets one worker, perhaps after a long pause, do its next step.
func (m *model) advance() {
	if len(m.runs) == 0 {
		return
	}
	r := m.runs[m.rnd.IntN(len(m.runs))]
	if r.paused > m.steps {
		return
	}
	if done := m.next(r); done {
		m.forget(r)
	}
}

// pause stops a worker for longer than its lease. It does not know of that
// when it goes on.
func (m *model) pause() {
	if len(m.runs) == 0 {
		return
	}
	r := m.runs[m.rnd.IntN(len(m.runs))]
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
		r := m.runs[m.rnd.IntN(len(m.runs))]
		m.note("%s dies, of %s", r.owner, r.Path)
		m.forget(r)
	}
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
	case "read":
		r.version, r.step = m.content[r.Path], "publish"
		m.note("%s reads %s at version %d", r.owner, r.Path, r.version)
		return false
	case "publish":
		switch n := m.rnd.IntN(20); {
		case n < 2:
			m.end(r, false, func() (End, error) { return r.Fail(m.ctx, Retrying, 4*time.Second, "slow") })
			return true
		case n < 3:
			m.end(r, false, func() (End, error) { return r.Fail(m.ctx, Failed, 0, "broken") })
			return true
		case n < 4:
			m.release(r)
			return true
		}
		return m.publish(r)
	}
	outcome := Published
	if gone(r.version) {
		outcome = Removed
	}
	m.end(r, true, func() (End, error) { return m.finish(r, outcome) })
	return true
}

// publish is one step, as it is in the output: the fence is asked within the
// page's lock.
func (m *model) publish(r *modelRun) (done bool) {
	if gone(r.version) {
		confirmed, end, err := r.Gone(m.ctx)
		if err != nil {
			m.t.Fatal(err)
		}
		if !confirmed {
			m.note("%s finds %s gone: %+v", r.owner, r.Path, end)
			m.ended(r, end)
			return true
		}
	}
	v, exists := m.served[r.Path]
	if err := r.Fence(m.ctx, exists && !gone(v)); err == nil {
		m.owner[r.Path] = r
	} else if m.world.fence {
		m.note("%s may not publish %s: %v", r.owner, r.Path, err)
		return true
	}
	m.note("%s publishes %s at version %d", r.owner, r.Path, r.version)
	if r.version < v {
		m.violation("%s went backwards, from version %d to %d", r.Path, v, r.version)
	}
	m.served[r.Path] = r.version
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
	if finish && !end.Lost {
		m.finished(r)
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
