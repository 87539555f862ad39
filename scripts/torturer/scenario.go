package main

import (
	"context"
	"fmt"
	"time"
)

// Scenario is one way to hurt Rebake. It starts the real program on a site of
// its own, sends triggers, does damage, and has a Judge look at the result from
// outside. To add one, write its Run and a line in scenarios.
type Scenario struct {
	Name  string // for --only
	About string // one line, for --list
	// Run takes its size from lab.Long. It returns an error when the scenario
	// could not be run at all; what Rebake does wrong stands in the Outcome.
	Run func(ctx context.Context, lab *Lab) (Outcome, error)
	// Short and Long are what the two forms must reach, so that a scenario
	// which did nothing does not pass.
	Short, Long Demand
	// LongOnly leaves the scenario out of the short form.
	LongOnly bool
	// Control breaks a promise on purpose: it passes when the Judge sees that.
	Control bool
}

// Demand is what must have happened in a scenario, at least or at most.
type Demand struct {
	Faults   int           // at least
	Triggers int           // acknowledged, at least
	During   int           // acknowledged while the fault lasted, at least
	Recovery time.Duration // at most; 0 is not judged
}

// Outcome is what happened in a scenario.
type Outcome struct {
	Faults   int // that fired, and were seen to
	Triggers int // answered with 200
	During   int // of these, while a fault lasted
	Renders  int // answers of the source about one page
	Readings int // of a page and its .gz, by visitors
	Lost     int // pages older than a trigger that was answered with 200
	Torn     int // readings of a page that was cut, mixed or empty
	Older    int // readings of a page that was newer before
	// Recovery is the longest that a restart took to bring every page up to
	// what was acknowledged before it.
	Recovery time.Duration
	// Notes say what was seen, for whoever looks for the reason.
	Notes []string
}

// Harmed reports whether a promise was broken.
func (o Outcome) Harmed() bool { return o.Lost+o.Torn+o.Older > 0 }

// Problems says why a scenario with this outcome has failed; nothing when it
// has passed.
func (s Scenario) Problems(o Outcome, long bool) []string {
	d := s.Short
	if long {
		d = s.Long
	}
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	switch {
	case s.Control && !o.Harmed():
		add("the judge did not see what was broken on purpose")
	case !s.Control && o.Harmed():
		add("%d lost, %d torn, %d older over newer", o.Lost, o.Torn, o.Older)
	}
	if o.Faults < d.Faults {
		add("only %d faults fired, of at least %d", o.Faults, d.Faults)
	}
	if o.Triggers < d.Triggers {
		add("only %d triggers were acknowledged, of at least %d", o.Triggers, d.Triggers)
	}
	if o.During < d.During {
		add("only %d triggers were acknowledged during the faults, of at least %d", o.During, d.During)
	}
	if d.Recovery > 0 && o.Recovery > d.Recovery {
		add("a recovery took %s, of at most %s", o.Recovery.Round(time.Millisecond), d.Recovery)
	}
	return list
}
