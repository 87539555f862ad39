package ledger

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"rebake/storage"
)

// modelLabels is what the model knows of labels, and who works on many pages.
type modelLabels struct {
	newest    map[Label]uint64
	tags      map[storage.Path][]string // of a page, and of one that is removed
	isPage    map[storage.Path]bool     // it was published once, and is remembered
	published map[storage.Path]bool     // the last finished run has published it
	asked     []modelAsked
	numbers   map[uint64]map[storage.Path]int // what the source had when a label got a number
	walks     []*modelWalk
	builds    []*modelBuild
}

// modelAsked is one accepted trigger of a label: what the source had then, and
// which pages had the label.
type modelAsked struct {
	label   Label
	id      uint64
	content map[storage.Path]int
	covered map[storage.Path]bool
}

func newModelLabels() modelLabels {
	return modelLabels{
		newest: map[Label]uint64{}, tags: map[storage.Path][]string{}, isPage: map[storage.Path]bool{}, published: map[storage.Path]bool{},
		numbers: map[uint64]map[storage.Path]int{},
	}
}

// tagsOf decides by the version that was rendered which tags a page has.
func tagsOf(version int) []string {
	tags := []string{fmt.Sprint("t", version%3)}
	if version%4 == 1 {
		tags = append(tags, "odd")
	}
	if version%4 == 3 {
		return nil
	}
	return tags
}

// triggerLabel changes what some pages show, and names them by a label only.
func (m *model) triggerLabel(label Label) {
	req, nonce := Request{Priority: Priority(m.rnd.IntN(3))}, m.nonce()
	settles, hidden := m.anySettle(&req), map[storage.Path]int{}
	for _, p := range m.paths {
		if !settles {
			m.editPerhaps(p)
		} else if m.rnd.IntN(2) == 0 {
			hidden[p] = m.hide(p, time.Now().Add(req.Settle-time.Millisecond))
		}
	}
	shown := m.sources()
	send := func() Receipt {
		asked := m.askedNow(label)
		maps.Copy(asked.content, hidden)
		r, err := m.Ledger.triggerLabel(m.ctx, label, req, nonce)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("trigger %s, to settle in %v: %+v", label, req.Settle, r)
		m.acceptLabel(asked, r)
		m.labels.number(r.ID, shown)
		return r
	}
	r := send()
	if m.lost() {
		m.between()
		before := len(m.labels.asked)
		r = send()
		m.labels.asked = m.labels.asked[:before] // it may be the same trigger
	}
	m.enqueue(r.Token)
	if settles && m.rnd.IntN(2) == 0 {
		m.renderEarly(hidden)
	}
}

// askedNow is what a trigger of the label would be about.
func (m *model) askedNow(label Label) modelAsked {
	asked := modelAsked{label: label, content: m.sources(), covered: map[storage.Path]bool{}}
	for _, p := range m.paths {
		asked.covered[p] = m.labels.isPage[p] && slices.Contains(labelsOf(p.String(), "/r", m.labels.tags[p]), string(label))
	}
	return asked
}

func (m *model) acceptLabel(asked modelAsked, r Receipt) {
	asked.id = r.ID
	m.labels.newest[asked.label] = max(m.labels.newest[asked.label], r.ID)
	m.labels.asked = append(m.labels.asked, asked)
}

// anyLabel prefers one that a page is to join when its run ends, or that was
// left to a removed page.
func (m *model) anyLabel() Label {
	switch n := m.rnd.IntN(4); {
	case n < 2 && len(m.runs) > 0:
		return m.labelOf(m.runs[m.rnd.IntN(len(m.runs))])
	case n == 2:
		for _, p := range m.paths {
			if tags := m.labels.tags[p]; len(tags) > 0 && m.labels.isPage[p] && !m.labels.published[p] {
				return Tag(tags[0])
			}
		}
	}
	labels := []Label{Site, Tag("t0"), Tag("t1"), Tag("t2"), Tag("odd"), Prefix(m.paths[1]), Prefix(m.paths[0]), Route("/r"), Item("t0"), Item("t1"), Item("odd")}
	return labels[m.rnd.IntN(len(labels))]
}

// labelOf is one that the page has, or will have when the run ends.
func (m *model) labelOf(r *modelRun) Label {
	if tags := tagsOf(r.version); len(tags) > 0 {
		return []Label{Tag(tags[0]), Item(tags[0])}[m.rnd.IntN(2)]
	}
	return Prefix(r.Path)
}

// oblige adds what the labels promise to what is wanted of each page.
func (l *modelLabels) oblige(m *model) {
	for _, a := range l.asked {
		for _, p := range m.paths {
			has := l.isPage[p] && slices.Contains(labelsOf(p.String(), "/r", l.tags[p]), string(a.label))
			if a.covered[p] || has {
				m.wanted[p] = max(m.wanted[p], a.content[p])
			}
		}
	}
}

// walked checks, when a walk is gone, that it has left out no page.
func (m *model) walked(label Label) {
	records, _ := m.records()
	for _, a := range m.labels.asked {
		for p := range a.covered {
			switch {
			case a.label != label || !a.covered[p]:
			case max(m.accepted[p], m.met[p]) < a.id:
				m.violation("the walk of %s is gone, and %s is not triggered for %d", label, p, a.id)
			case records[p].status == "" && m.files[p].version < a.content[p]:
				m.violation("the walk of %s is gone, and %s is served at version %d; asked for at %d", label, p, m.files[p].version, a.content[p])
			}
		}
	}
}

// finish tells the ledger what a run has published, or that it has removed
// the page.
func (m *model) finish(r *modelRun) (End, error) {
	if !m.has(theLabelCheck) {
		m.rdb.Del(m.ctx, m.key("label"))
	}
	page := storage.Page{Path: r.Path, Wake: m.wakeOf(r)}
	if !r.removes() {
		page.Route, page.Body, page.Tags = "/r", []byte{byte(r.version)}, tagsOf(r.version)
		page.Revalidate = revalidateOf(r.version)
	}
	return r.Finish(m.ctx, r.outcome(), page, time.Unix(1, 0))
}

// finished notes what a run has met, and which labels were triggered in vain
// for it: of those that the page had, and of those that it has now. It may have
// begun before its source was quiet, and is followed by another then.
func (m *model) finished(r *modelRun, end End) {
	p, l := r.Path, &m.labels
	if r.removes() && !l.isPage[p] && m.accepted[p] <= m.met[p] && !m.visits.open[p] {
		return // it was lost, and its removal of nothing is answered as if it were the last one
	}
	m.met[p] = max(m.met[p], r.G0)
	tags, route := slices.Clone(l.tags[p]), ""
	l.published[p] = !r.removes()
	if r.removes() && !m.has(theTombstone) {
		m.dropRecord(p)
	}
	if l.published[p] {
		l.tags[p], l.isPage[p] = tagsOf(r.version), true
		tags, route = append(tags, l.tags[p]...), "/r"
	}
	m.finishTimers(r)
	visited := m.visits.runFinished(p)
	delete(m.removals.readGone, p)
	var newest uint64
	for _, label := range labelsOf(p.String(), route, tags) {
		if n := l.newest[Label(label)]; n > r.G0 && !m.comes(Label(label), p) {
			newest = max(newest, n)
		}
	}
	if newest <= r.G0 {
		if end.Token != nil {
			m.accepted[p] = max(m.accepted[p], end.Token.Number())
			if slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(l.tags[p], tag) }) {
				m.mayClaim++ // perhaps it was to settle for a label that it has left
			}
		}
		return
	}
	m.mayClaim++
	if visited && r.removes() {
		m.visits.open[p] = true // it looks again, and is a visitor's still
		return
	}
	m.accepted[p] = max(m.accepted[p], newest)
}
