package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// result is a scenario that has run.
type result struct {
	scenario Scenario
	outcome  Outcome
	problems []string // none when it has passed
	took     time.Duration
}

var head = []string{"scenario", "faults", "triggers", "during", "renders", "readings", "lost", "torn", "older", "recovery", "took", "verdict"}

func (r result) cells() []string {
	o := r.outcome
	recovery, during, verdict := "–", "–", "ok"
	if o.During > 0 {
		during = fmt.Sprint(o.During)
	}
	if o.Recovery > 0 {
		recovery = fmt.Sprintf("%.1f s", o.Recovery.Seconds())
	}
	switch {
	case len(r.problems) > 0:
		verdict = "FAILED"
	case r.scenario.Control:
		verdict = "ok: seen"
	}
	return []string{
		r.scenario.Name, fmt.Sprint(o.Faults), fmt.Sprint(o.Triggers), during, fmt.Sprint(o.Renders), fmt.Sprint(o.Readings),
		fmt.Sprint(o.Lost), fmt.Sprint(o.Torn), fmt.Sprint(o.Older), recovery, fmt.Sprintf("%.0f s", r.took.Seconds()), verdict,
	}
}

// writeTable prints the results for people, or in Markdown.
func writeTable(w io.Writer, results []result, markdown bool) error {
	if markdown {
		fmt.Fprintf(w, "| %s |\n|---%s|\n", strings.Join(head, " | "), strings.Repeat("|--:", len(head)-1))
		for _, r := range results {
			fmt.Fprintf(w, "| %s |\n", strings.Join(r.cells(), " | "))
		}
		return nil
	}
	tabs := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tabs, strings.Join(head, "\t")+"\t")
	for _, r := range results {
		fmt.Fprintln(tabs, strings.Join(r.cells(), "\t")+"\t")
	}
	return tabs.Flush()
}
