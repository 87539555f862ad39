package daemon

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fatih/color"

	"rebake/worker"
)

// buildSummary is what --json prints.
type buildSummary struct {
	// Pages are all that came to an end; the next three are parts of them, and so
	// are those that failed or are absent.
	Pages    int           `json:"pages"`
	Sitemaps int           `json:"sitemaps"`
	Linked   int           `json:"linked"`
	Assets   int           `json:"assets"`
	Failed   []buildFailed `json:"failed"`
	Absent   []buildFailed `json:"absent"`
	Broken   []buildLink   `json:"broken_links"`
	Left     []buildLink   `json:"left_to_origin"`
	Problems []string      `json:"problems"`
	Notes    []string      `json:"notes"`
	Seconds  float64       `json:"seconds"`
}

type buildFailed struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

type buildLink struct {
	Path   string `json:"path"`
	On     string `json:"on"`
	Reason string `json:"reason"`
}

func newBuildSummary(r worker.BuildReport) buildSummary {
	sum := buildSummary{
		Pages: r.Done, Sitemaps: r.Mapped, Linked: r.Linked, Assets: r.Assets,
		Failed: buildFailures(r.Failed), Absent: buildFailures(r.Absent), Broken: buildLinks(r.Broken), Left: buildLinks(r.Left),
		Problems: []string{}, Notes: append([]string{}, r.Notes...), Seconds: r.Took.Seconds(),
	}
	for _, err := range r.Problems {
		sum.Problems = append(sum.Problems, err.Error())
	}
	return sum
}

func buildFailures(list []worker.FailedPage) []buildFailed {
	pages := []buildFailed{}
	for _, p := range list {
		pages = append(pages, buildFailed{p.Path.String(), p.Reason})
	}
	return pages
}

func buildLinks(list []worker.BrokenLink) []buildLink {
	links := []buildLink{}
	for _, l := range list {
		links = append(links, buildLink{l.Path.String(), l.On.String(), l.Reason})
	}
	return links
}

func printBuild(w io.Writer, r worker.BuildReport, asJSON bool) error {
	sum := newBuildSummary(r)
	if asJSON {
		if err := printJSON(w, sum); err != nil {
			return failed(err)
		}
	} else {
		writeBuild(w, sum, rate(r))
	}
	if len(sum.Failed)+len(sum.Problems) > 0 {
		return &exitError{exitFailed, errAlreadyTold}
	}
	return nil
}

// mostShown bounds what a person is shown of a build that went very wrong.
const mostShown = 20

func writeBuild(w io.Writer, sum buildSummary, perSecond float64) {
	for _, text := range append(sum.Problems, sum.Notes...) {
		fmt.Fprintf(w, "%s %s\n", color.YellowString("!"), text)
	}
	show(w, sum.Left, func(l buildLink) string {
		return fmt.Sprintf("  %s on %s is left to the origin: %s", l.Path, l.On, l.Reason)
	})
	show(w, sum.Broken, func(l buildLink) string {
		return fmt.Sprintf("%s broken link to %s on %s: %s", color.YellowString("!"), l.Path, l.On, l.Reason)
	})
	show(w, sum.Absent, func(f buildFailed) string {
		return fmt.Sprintf("%s %s  %s", color.YellowString("!"), f.Path, f.Reason)
	})
	show(w, sum.Failed, func(f buildFailed) string {
		return fmt.Sprintf("%s %s  %s", color.RedString("✗"), f.Path, f.Reason)
	})
	mark := color.GreenString("✓")
	if len(sum.Failed)+len(sum.Problems) > 0 {
		mark = color.RedString("✗")
	}
	fmt.Fprintf(w, "%s %d pages in %s, %.0f pages/s, %d failed%s\n", mark, sum.Pages,
		time.Duration(sum.Seconds*float64(time.Second)).Round(time.Millisecond), perSecond, len(sum.Failed), sum.found())
}

// found tells of the pages that no route names; "" when there are none.
func (sum buildSummary) found() string {
	var parts []string
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, text))
		}
	}
	add(sum.Sitemaps, "from sitemaps")
	add(sum.Linked, "found by links")
	add(sum.Assets, "assets")
	add(len(sum.Absent), "not there")
	add(len(sum.Left), "left to the origin")
	add(len(sum.Broken), "broken links")
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, ", ")
}

// show writes a line for each of a list, as many as somebody may read.
func show[T any](w io.Writer, list []T, line func(T) string) {
	for _, item := range list[:min(len(list), mostShown)] {
		fmt.Fprintln(w, line(item))
	}
	if more := len(list) - mostShown; more > 0 {
		fmt.Fprintf(w, "  and %d more; --json prints all\n", more)
	}
}
