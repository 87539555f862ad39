package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Judge keeps a ledger of its own, outside of Rebake: for each page the newest
// version whose trigger was answered with 200, and the newest that a reader has
// seen. It knows nothing of Rebake but its files. Safe for concurrent use.
type Judge struct {
	source *Source
	output string // the directory of the files

	mu     sync.Mutex
	pages  map[string]*account // guarded by mu; of every page of the source
	torn   int                 // guarded by mu
	older  int                 // guarded by mu
	acks   int                 // guarded by mu; triggers
	during int                 // guarded by mu
	fault  bool                // guarded by mu; one lasts
	reads  int                 // guarded by mu
	notes  []string            // guarded by mu
}

// account is what the judge knows of a page.
type account struct {
	owed   int // the newest acknowledged version: the page has to be as new
	ifAny  int // the same, for the case that there is a page
	seen   int // the newest version that a reader saw
	absent int // the version that was seen last when the page was seen to be away
	packed int // the newest version that was seen in the .gz
}

// NewJudge judges the pages that are made of a source, in a directory.
func NewJudge(source *Source, output string) *Judge {
	j := &Judge{source: source, output: output, pages: make(map[string]*account)}
	for _, path := range source.Paths() {
		j.pages[path] = new(account)
	}
	return j
}

// Acknowledged notes one trigger that was answered with 200, with the versions
// that its pages had before it was sent.
func (j *Judge) Acknowledged(versions map[string]int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count()
	for path, v := range versions {
		a := j.pages[path]
		a.owed = max(a.owed, v)
	}
}

// AcknowledgedLabel notes one trigger for a tag, a prefix or the site. It is
// about pages that there are: known ones must be brought up to date, others
// only have to be new enough once they are there.
func (j *Judge) AcknowledgedLabel(versions map[string]int, known map[string]bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count()
	for path, v := range versions {
		a := j.pages[path]
		a.ifAny = max(a.ifAny, v)
		if known[path] {
			a.owed = max(a.owed, v)
		}
	}
}

// count is called with mu held.
func (j *Judge) count() {
	j.acks++
	if j.fault {
		j.during++
	}
}

// During says whether a fault lasts from now on.
func (j *Judge) During(fault bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fault = fault
}

// Seen are the pages that a reader has seen.
func (j *Judge) Seen() map[string]bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	seen := make(map[string]bool)
	for path, a := range j.pages {
		if a.seen > 0 {
			seen[path] = true
		}
	}
	return seen
}

// AfterPowerCut forgets what readers have seen: a page that was not yet on disk
// may go back to the one before. What was acknowledged stays owed.
func (j *Judge) AfterPowerCut() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, a := range j.pages {
		a.seen, a.absent, a.packed = 0, 0, 0
	}
}

// Debt is what was acknowledged up to a moment.
type Debt map[string]account

// Debt returns what every page owes now.
func (j *Judge) Debt() Debt {
	j.mu.Lock()
	defer j.mu.Unlock()
	d := make(Debt)
	for path, a := range j.pages {
		if a.owed+a.ifAny > 0 {
			d[path] = *a
		}
	}
	return d
}

// Pay waits until every page has what it owes, and returns how long that took
// from the moment that is given, with what is wrong with those that have not in
// time.
func (j *Judge) Pay(ctx context.Context, d Debt, from time.Time, within time.Duration) (took time.Duration, wrong []string, err error) {
	left := maps.Clone(d)
	for {
		wrong = nil
		for _, path := range slices.Sorted(maps.Keys(left)) {
			if problem := j.problem(path, left[path]); problem != "" {
				wrong = append(wrong, path+": "+problem)
			} else {
				delete(left, path)
			}
		}
		if took = time.Since(from); len(left) == 0 || took > within {
			return took, wrong, nil
		}
		if err := Sleep(ctx, 20*time.Millisecond); err != nil {
			return took, wrong, err
		}
	}
}

// payTime bounds the wait for a recovery; what takes longer than allowed is
// measured up to here.
const payTime = 20 * time.Second

// recovery is how long after a moment all pages have what was acknowledged up
// to now. It says which have not after payTime.
func recovery(ctx context.Context, lab *Lab, judge *Judge, from time.Time) (time.Duration, error) {
	took, wrong, err := judge.Pay(ctx, judge.Debt(), from, payTime)
	for _, w := range wrong {
		lab.Say("%.0f s later: %s", took.Seconds(), w)
	}
	return took, err
}

// problem says why a page has not what it owes, "" when it has.
func (j *Judge) problem(path string, a account) string {
	f := readFile(j.file(path))
	switch {
	case f.err != nil:
		return f.err.Error()
	case f.absent:
		if a.owed == 0 || j.source.GoneSince(path, a.owed) {
			return ""
		}
		return fmt.Sprintf("there is no page, and version %d was acknowledged", a.owed)
	}
	v, err := readPage(path, f.body)
	switch {
	case err != nil:
		return err.Error()
	case v < max(a.owed, a.ifAny):
		return fmt.Sprintf("it shows version %d, and version %d was acknowledged", v, max(a.owed, a.ifAny))
	}
	return ""
}

// Verdict waits, when all faults are over, until every page has what was
// acknowledged, and says what has happened. Renders and faults are the
// caller's to add.
func (j *Judge) Verdict(ctx context.Context, within time.Duration) (Outcome, error) {
	_, wrong, err := j.Pay(ctx, j.Debt(), time.Now(), within)
	if err != nil {
		return Outcome{}, err
	}
	apart, err := j.misfits(ctx, within)
	if err != nil {
		return Outcome{}, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for path, how := range apart {
		j.tear(path, how)
	}
	for _, w := range wrong {
		j.note("lost: " + w)
	}
	return Outcome{
		Triggers: j.acks, During: j.during, Renders: j.source.Renders(), Readings: j.reads,
		Lost: len(wrong), Torn: j.torn, Older: j.older, Notes: slices.Clone(j.notes),
	}, nil
}

// fitTime is how long the last renders, which nobody is owed, may go on writing.
const fitTime = 5 * time.Second

// misfits are the pages that do not belong to their .gz, and in what way.
func (j *Judge) misfits(ctx context.Context, within time.Duration) (apart map[string]string, err error) {
	_, err = Poll(ctx, min(within, fitTime), func() bool {
		apart = make(map[string]string)
		for _, path := range j.source.Paths() {
			if how := j.misfit(path); how != "" {
				apart[path] = how
			}
		}
		return len(apart) == 0
	})
	return apart, err
}

// mostNotes bounds what is said: a thousand lost pages have one reason.
const mostNotes = 12

// note is called with mu held.
func (j *Judge) note(text string) {
	if len(j.notes) < mostNotes && !slices.Contains(j.notes, text) {
		j.notes = append(j.notes, text)
	}
}
