package ledger

import (
	"slices"
	"time"

	"rebake/storage"
)

// longestModelSettle is the most that a source of the model needs until it
// shows what it has told of.
const longestModelSettle = 4 * time.Second

// modelHidden is content that a source has told of, and does not show yet.
type modelHidden struct {
	version int
	at      time.Time // from then on it does
}

// anySettle makes a request one of a source that is slow, now and then. No
// burst ends before MaxWait, in some.
func (m *model) anySettle(req *Request) bool {
	if m.rnd.IntN(3) > 0 {
		return false
	}
	req.Settle = time.Duration(1+m.rnd.IntN(4)) * longestModelSettle / 4
	req.MaxWait = time.Duration(m.rnd.IntN(8)) * time.Second
	return true
}

// latest is the newest version that the source has told of.
func (m *model) latest(p storage.Path) int {
	newest := m.content[p]
	for _, h := range m.hidden[p] {
		newest = max(newest, h.version)
	}
	return newest
}

// edit changes what the source shows of a page.
func (m *model) edit(p storage.Path) { m.content[p] = m.latest(p) + 1 }

// editPerhaps does not always: what is asked for may be there already, or be
// what the source does not show yet.
func (m *model) editPerhaps(p storage.Path) {
	if m.rnd.IntN(2) == 0 {
		m.edit(p)
	}
}

// hide changes what the source will show, and returns the version.
func (m *model) hide(p storage.Path, at time.Time) int {
	v := m.latest(p) + 1
	m.hidden[p] = append(m.hidden[p], modelHidden{v, at})
	return v
}

// source is the version that the source shows now.
func (m *model) source(p storage.Path) int {
	m.reveal(p, time.Now())
	return m.content[p]
}

// reveal lets the source show what is due.
func (m *model) reveal(p storage.Path, now time.Time) {
	m.hidden[p] = slices.DeleteFunc(m.hidden[p], func(h modelHidden) bool {
		due := !h.at.After(now)
		if due {
			m.content[p] = max(m.content[p], h.version)
		}
		return due
	})
}

// sources is what the source shows of all pages.
func (m *model) sources() map[storage.Path]int {
	all := map[storage.Path]int{}
	for _, p := range m.paths {
		all[p] = m.source(p)
	}
	return all
}

// beforeClaim leaves out what makes a run that begins too early be followed by
// one that does not.
func (m *model) beforeClaim(key string, of safeguard) {
	if !m.has(of) {
		m.rdb.HDel(m.ctx, m.key(key), "calm")
	}
}

// renderEarly renders a page of which the source does not show the newest yet,
// for somebody who cannot wait.
func (m *model) renderEarly(hidden map[storage.Path]int) {
	for _, p := range m.paths {
		if _, ok := hidden[p]; !ok || m.owner[p] != nil {
			continue
		}
		r := m.mustTrigger(p, Critical)
		m.note("trigger %s: %+v", p, r)
		m.mayClaim++
		m.accept(p, r.ID, m.source(p))
		if r.Token == nil {
			continue
		}
		if r.Token.Wait > 0 {
			m.enqueue(r.Token)
			continue
		}
		m.runToEnd(m.wakeAlone(*r.Token), Critical)
	}
}

// comes says whether a walk that waits until it is quiet will come to a page.
func (m *model) comes(label Label, p storage.Path) bool {
	if _, of := label.split(); label.IsTag() && !slices.Contains(m.labels.tags[p], of) {
		return false // it has left the index
	}
	w := reply(m.rdb.HMGet(m.ctx, m.key("walk:"+string(label)), "st", "set").Val())
	return m.labels.isPage[p] && w.text(0) == "queued" && w.text(1) != ""
}

// postponeWalk ends a walk that could not do all that there was to do, perhaps
// twice because the reply was lost.
func (m *model) postponeWalk(w *modelWalk) {
	after := time.Duration(m.rnd.IntN(10)) * time.Second
	send := func() (*Token, error) {
		tok, err := w.Later(m.ctx, after, "no answer")
		m.note("%s ends its walk of %s for %d, and it comes back in %v: %+v, %v", w.owner, w.Label, w.Number, after, tok, err)
		return tok, err
	}
	tok, err := send()
	if m.lost() {
		m.between()
		tok, err = send()
	}
	if m.keepWalk(w, err); err == nil {
		m.enqueue(tok)
		m.forgetWalk(w)
	}
}
