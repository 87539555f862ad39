package ledger

import (
	"rebake/storage"
)

func (m *model) enqueue(tok *Token) {
	if tok != nil {
		m.queue = append(m.queue, *tok)
	}
}

// take takes a task out of the queue, any one: there are priorities, and
// several workers.
func (m *model) take() (Token, bool) {
	if len(m.queue) == 0 {
		return Token{}, false
	}
	i := m.rnd.IntN(len(m.queue))
	tok := m.queue[i]
	m.queue = append(m.queue[:i], m.queue[i+1:]...)
	return tok, true
}

// deliver lets a worker take a task.
func (m *model) deliver() {
	if len(m.runs) >= modelRuns {
		return
	}
	if tok, ok := m.take(); ok {
		m.wakeUp(tok)
	}
}

// deliverTwice lets a worker take a task that stays in the queue.
func (m *model) deliverTwice() {
	if len(m.runs) < modelRuns && len(m.queue) > 0 {
		m.wakeUp(m.queue[m.rnd.IntN(len(m.queue))])
	}
}

// lose drops a task: the enqueue failed, or its worker died before the claim.
func (m *model) lose() {
	if tok, ok := m.take(); ok {
		m.note("lost task %s of %s%s", tok.ID, tok.Path, tok.Label)
	}
}

func (m *model) wakeUp(tok Token) {
	if tok.Label != "" {
		m.claimWalk(tok)
	} else {
		m.claim(tok)
	}
}

func (m *model) claim(tok Token) {
	owner := m.nonce()
	send := func() *Run {
		run := m.claimAlone(tok, owner)
		m.note("claim %s by %s with %s: %s, g0 %d", tok.Path, owner, tok.ID, run.State, run.G0)
		return run
	}
	r := m.begin(tok.Path, owner, tok.Priority, send)
	if r.State == Early {
		m.enqueue(&tok)
	}
}

// claimAlone claims as a process does that runs nothing else, when the ledger
// asks for it.
func (m *model) claimAlone(tok Token, owner string) *Run {
	m.beforeClaim("owed:"+tok.Path.String(), theSecondLook)
	run, err := m.Ledger.claim(m.ctx, tok, owner, m.cfg.CrowdDeaths)
	if err == nil && run.State == Alone {
		run, err = m.Ledger.claim(m.ctx, tok, owner, 0)
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return run
}

func (m *model) wakeAlone(tok Token) *Run { return m.claimAlone(tok, m.nonce()) }

// begin lets a worker claim a page, perhaps twice because the reply was lost.
func (m *model) begin(p storage.Path, owner string, prio Priority, send func() *Run) *modelRun {
	first := send()
	r := &modelRun{Run: first, prio: prio, step: "read"}
	if first.State == Claimed {
		m.claims++
		r.number = m.claims
		if m.owner[p] != nil {
			m.violation("%s has two live owners, %s and %s", p, m.owner[p].owner, owner)
		}
		m.owner[p] = r
		if first.G0 < m.accepted[p] {
			m.violation("%s runs with g0 %d, older than trigger %d", p, first.G0, m.accepted[p])
		}
	}
	if m.lost() {
		m.between()
		second := send()
		switch {
		case second.State != Claimed:
		case first.State != Claimed:
			m.claims++
			r.number = m.claims
			m.owner[p] = r
		case second.G0 != first.G0:
			m.violation("%s claimed %s twice and got g0 %d, then %d", owner, p, first.G0, second.G0)
		}
		r.Run = second
	}
	if r.State == Claimed {
		m.runs = append(m.runs, r)
	}
	return r
}
