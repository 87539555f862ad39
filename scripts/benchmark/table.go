package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"
)

// none is the value of a system that a row is not about.
var none = math.NaN()

// row is one figure of each system.
type row struct {
	name               string
	rebake, next, hugo float64
	print              func(float64) string
	more               bool // is better; otherwise less is
}

// table is the result of a comparison.
type table struct {
	head []string
	rows []row
}

// cells returns the texts of a row, with how many times better Rebake is.
func (r row) cells() []string {
	cells := []string{r.name}
	for _, v := range []float64{r.rebake, r.next, r.hugo} {
		cells = append(cells, r.text(v))
	}
	return append(cells, r.ratio(r.next), r.ratio(r.hugo))
}

func (r row) text(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return r.print(v)
}

func (r row) ratio(other float64) string {
	better := other / r.rebake
	if r.more {
		better = r.rebake / other
	}
	switch {
	case math.IsNaN(better) || math.IsInf(better, 0): // one of them has none of it
		return "–"
	case better >= 10:
		return fmt.Sprintf("%.0f×", better)
	case better < 0.1:
		return fmt.Sprintf("%.3f×", better)
	}
	return fmt.Sprintf("%.1f×", better)
}

// write prints the table for people, or in Markdown.
func (t table) write(w io.Writer, markdown bool) error {
	if markdown {
		fmt.Fprintf(w, "| %s |\n|---%s|\n", strings.Join(t.head, " | "), strings.Repeat("|--:", len(t.head)-1))
		for _, r := range t.rows {
			fmt.Fprintf(w, "| %s |\n", strings.Join(r.cells(), " | "))
		}
		return nil
	}
	tabs := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(tabs, strings.Join(t.head, "\t"))
	for _, r := range t.rows {
		fmt.Fprintln(tabs, strings.Join(r.cells(), "\t"))
	}
	return tabs.Flush()
}

func milliseconds(v float64) string { return fmt.Sprintf("%.1f ms", v) }
func perSecond(v float64) string    { return fmt.Sprintf("%.0f pages/s", v) }
func megabytes(v float64) string    { return fmt.Sprintf("%.0f MB", v) }
func count(v float64) string        { return fmt.Sprintf("%.0f", v) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
