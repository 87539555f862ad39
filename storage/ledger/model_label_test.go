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
	newest map[Label]uint64
	tags   map[storage.Path][]string // of a page, and of one that is removed
	isPage map[storage.Path]bool     // it was published once
	asked  []modelAsked
	walks  []*modelWalk
	builds []*modelBuild
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
		newest: map[Label]uint64{}, tags: map[storage.Path][]string{}, isPage: map[storage.Path]bool{},
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
	prio, nonce := Priority(m.rnd.IntN(3)), m.nonce()
	for _, p := range m.paths {
		m.content[p] += m.rnd.IntN(2)
	}
	send := func() Receipt {
		asked := modelAsked{label: label, content: maps.Clone(m.content), covered: map[storage.Path]bool{}}
		for _, p := range m.paths {
			asked.covered[p] = m.labels.isPage[p] && slices.Contains(labelsOf(p.String(), "/r", m.labels.tags[p]), string(label))
		}
		r, err := m.Ledger.triggerLabel(m.ctx, label, Request{Priority: prio}, nonce)
		if err != nil {
			m.t.Fatal(err)
		}
		m.note("trigger %s: %+v", label, r)
		m.labels.newest[label] = max(m.labels.newest[label], r.ID)
		asked.id = r.ID
		m.labels.asked = append(m.labels.asked, asked)
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
}

// anyLabel prefers one that a page is to join when its run ends.
func (m *model) anyLabel() Label {
	if len(m.runs) > 0 && m.rnd.IntN(2) == 0 {
		if tags := tagsOf(m.runs[m.rnd.IntN(len(m.runs))].version); len(tags) > 0 {
			return Tag(tags[0])
		}
	}
	labels := []Label{Site, Tag("t0"), Tag("t1"), Tag("t2"), Tag("odd"), Prefix(m.paths[1]), Prefix(m.paths[0]), Route("/r")}
	return labels[m.rnd.IntN(len(labels))]
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
	for _, a := range m.labels.asked {
		for p := range a.covered {
			if a.label == label && a.covered[p] && max(m.accepted[p], m.met[p]) < a.id {
				m.violation("the walk of %s is gone, and %s is not triggered for %d", label, p, a.id)
			}
		}
	}
}

// finish tells the ledger what a run has published.
func (m *model) finish(r *modelRun, outcome Outcome) (End, error) {
	if !m.world.labelCheck {
		m.rdb.Del(m.ctx, m.key("label"))
	}
	page := storage.Page{Path: r.Path, Route: "/r", Body: []byte{byte(r.version)}, Tags: tagsOf(r.version)}
	return r.Finish(m.ctx, outcome, page, time.Unix(1, 0))
}

// finished notes what a run has met, and which labels were triggered in vain
// for it: of those that the page had, and of those that it has now.
func (m *model) finished(r *modelRun) {
	p, l := r.Path, &m.labels
	m.met[p] = max(m.met[p], r.G0)
	tags := slices.Clone(l.tags[p])
	if !gone(r.version) {
		l.tags[p], l.isPage[p] = tagsOf(r.version), true
		tags = append(tags, l.tags[p]...)
	}
	for _, label := range labelsOf(p.String(), "/r", tags) {
		if n := l.newest[Label(label)]; n > r.G0 {
			m.accepted[p] = max(m.accepted[p], n)
			m.mayClaim++
		}
	}
}
