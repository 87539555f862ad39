package ledger

import (
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// checkOwed compares which pages have a record with which have an unmet
// trigger, and each record with the set that the sweeper reads.
func (m *model) checkOwed() {
	if m.wrong != "" {
		return
	}
	status := make([]*redis.StringCmd, len(m.paths))
	dirty := make([]*redis.FloatCmd, len(m.paths))
	failed := make([]*redis.FloatCmd, len(m.paths))
	_, _ = m.rdb.Pipelined(m.ctx, func(pipe redis.Pipeliner) error { // redis.Nil is an answer here
		for i, p := range m.paths {
			status[i] = pipe.HGet(m.ctx, m.key("owed:"+p.String()), "st")
			dirty[i] = pipe.ZScore(m.ctx, m.key("dirty"), p.String())
			failed[i] = pipe.ZScore(m.ctx, m.key("failed"), p.String())
		}
		return nil
	})
	for i, p := range m.paths {
		owed, unmet := status[i].Err() == nil, m.accepted[p] > m.met[p]
		if owed != unmet {
			m.violation("%s has a record: %v; has an unmet trigger: %v (newest %d, met %d)", p, owed, unmet, m.accepted[p], m.met[p])
		}
		isFailed := status[i].Val() == "failed"
		if (failed[i].Err() == nil) != isFailed || (dirty[i].Err() == nil) != (owed && !isFailed) {
			m.violation("%s is %q; in dirty: %v, in failed: %v", p, status[i].Val(), dirty[i].Err() == nil, failed[i].Err() == nil)
		}
	}
}

// drain lets everything come to its end: whoever runs has died, nothing fails
// any more, and somebody has mended and triggered what had failed for good. It
// returns false when something is owed still.
func (m *model) drain() bool {
	m.runs, m.labels.walks, m.labels.builds = nil, nil, nil
	for range 40 {
		m.timePasses(m.cfg.Lease)
		m.triggerFailed()
		if m.world.sweeper {
			m.sweepAll()
		}
		tasks := m.queue
		m.queue = nil
		for _, tok := range tasks {
			if tok.Label != "" {
				m.walkToEnd(tok)
			} else {
				m.runToEnd(m.wake(tok), tok.Priority)
			}
		}
		if c, err := m.Counts(m.ctx); err != nil {
			m.t.Fatal(err)
		} else if c.Owed+c.Failed == 0 && len(m.keys("walk:*")) == 0 {
			m.checkOwed()
			return true
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
		m.accepted[p], m.wanted[p] = r.ID, m.content[p]
		m.enqueue(r.Token)
	}
}

func (m *model) sweepAll() {
	for _, s := range first(m.mustSuspects(100)) {
		if s.Label == "" || m.world.walkSweeper {
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
	r := &modelRun{Run: run, prio: prio, version: m.content[run.Path]}
	if m.publish(r) {
		return
	}
	outcome := Published
	if gone(r.version) {
		outcome = Removed
	}
	end, err := m.finish(r, outcome)
	if err != nil {
		m.t.Fatal(err)
	}
	m.finished(r)
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

// checkIndex compares the sets that walks read with the pages' records.
func (m *model) checkIndex() {
	if diff := m.indexDiff(); diff != "" {
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
