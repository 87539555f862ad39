package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// secondLook is how long Rebake may still work after its last trigger: it
// renders once more 3 s later.
const secondLook = 5 * time.Second

// peers is one comparison: the same posts, from one source, on Rebake, Next.js
// and Hugo, in one run.
type peers struct {
	posts, edits, races, callers int
	markdown                     bool
	only                         string // one of the phases, "" for all

	source *cms
	rebake *rebakeSite
	next   *nextApp
	hugo   *hugoSite

	systems   struct{ rebake, next *system }
	hugoAgain time.Duration // a full build of Hugo after an edit
	table     table
}

// benchPeers measures Rebake beside Next.js and Hugo, and prints a table.
func benchPeers(ctx context.Context, args []string) error {
	var p peers
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.IntVar(&p.posts, "posts", 2000, "how many posts the site has")
	flags.IntVar(&p.edits, "edits", 500, "how many edits to measure")
	flags.IntVar(&p.races, "races", 20, "how many races of two triggers")
	flags.IntVar(&p.callers, "callers", 16, "how many callers at once trigger all posts")
	flags.BoolVar(&p.markdown, "markdown", false, "print the table in Markdown")
	flags.StringVar(&p.only, "only", "", "measure one thing: edits, races or bulk")
	quick := flags.Bool("quick", false, "small numbers, to try it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *quick {
		p.posts, p.edits, p.races = 200, 20, 3
	}
	if p.posts < 5 || p.edits < 1 || p.races < 1 || p.callers < 1 {
		return fmt.Errorf("peers needs at least 5 posts and one of everything else")
	}
	if !slices.Contains([]string{"", "edits", "races", "bulk"}, p.only) {
		return fmt.Errorf("-only %s: unknown; known: edits, races, bulk", p.only)
	}
	dir, program, err := prepare(ctx)
	if dir != "" {
		defer os.RemoveAll(dir)
	}
	if err != nil {
		return err
	}
	if err := printMachine(ctx, dir); err != nil {
		return err
	}
	p.source = posts(p.posts)
	server := httptest.NewServer(p.source)
	defer server.Close()
	if err := p.install(ctx, dir, program, server.URL); err != nil {
		return err
	}
	defer p.next.stop()
	defer p.rebake.stop()
	if err := p.measure(ctx); err != nil {
		return err
	}
	p.table.head = []string{"", "Rebake", "Next.js " + p.next.version, "Hugo " + strings.TrimPrefix(hugoVersion, "v"), "to Next.js", "to Hugo"}
	return p.table.write(os.Stdout, p.markdown)
}

func (p *peers) install(ctx context.Context, dir, program, source string) (err error) {
	step("installing Next.js and Hugo")
	if p.next, err = installNext(ctx, filepath.Join(dir, "next"), source); err != nil {
		return err
	}
	if p.hugo, err = installHugo(ctx, filepath.Join(dir, "hugo")); err != nil {
		return err
	}
	p.rebake, err = newRebakeSite(filepath.Join(dir, "rebake-site"), program, source)
	return err
}

// measure fills the table. The order leaves every system idle while another is
// measured, except for the edits, which go by turns.
func (p *peers) measure(ctx context.Context) error {
	for _, phase := range []struct {
		name string // empty for what all others need
		do   func(context.Context) error
	}{{"", p.firstBuild}, {"", p.serve}, {"edits", p.edit}, {"races", p.race}, {"bulk", p.bulk}, {"", p.memory}} {
		if p.only != "" && phase.name != "" && phase.name != p.only {
			continue
		}
		if err := phase.do(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, secondLook); err != nil {
			return err
		}
	}
	return nil
}

// firstBuild makes every site from nothing, while nothing else runs, and has
// Hugo build its site again for an edit.
func (p *peers) firstBuild(ctx context.Context) error {
	step("building %d posts with Hugo, Rebake and Next.js", p.posts)
	if err := p.hugo.write(p.source); err != nil {
		return err
	}
	hugo, err := timed(func() error { return p.hugo.build(ctx) })
	if err != nil {
		return err
	}
	if p.hugoAgain, err = p.hugo.rebuild(ctx, p.source); err != nil {
		return err
	}
	rebake, err := p.rebake.build(ctx)
	if err != nil {
		return err
	}
	next, err := p.next.build(ctx)
	if err != nil {
		return err
	}
	p.add(row{name: "the whole site from nothing", rebake: p.rate(rebake), next: p.rate(next), hugo: p.rate(hugo), print: perSecond, more: true})
	return nil
}

func (p *peers) serve(ctx context.Context) error {
	if err := p.rebake.serve(ctx); err != nil {
		return err
	}
	if err := p.next.serve(ctx); err != nil {
		return err
	}
	p.systems.rebake, p.systems.next = p.rebake.system(), p.next.system()
	for _, s := range []*system{p.systems.rebake, p.systems.next} {
		page, err := s.page(ctx, 1)
		if err != nil {
			return err
		}
		fmt.Printf("%s: a page has %d bytes\n", s.name, len(page))
	}
	return nil
}

func (p *peers) edit(ctx context.Context) error {
	step("%d edits, by turns", p.edits)
	took, err := measureEdits(ctx, p.source, p.edits, p.systems.rebake, p.systems.next)
	if err != nil {
		return err
	}
	rebake, next := took[p.systems.rebake], took[p.systems.next]
	p.add(row{name: "one edit, trigger to visible, p50 (Hugo: a full build)", rebake: ms(percentile(rebake, 50)), next: ms(percentile(next, 50)), hugo: ms(p.hugoAgain), print: milliseconds})
	p.add(row{name: "the same, p99", rebake: ms(percentile(rebake, 99)), next: ms(percentile(next, 99)), hugo: none, print: milliseconds})
	return nil
}

// race has Rebake leave out its second look, which would make good what a race
// has lost.
func (p *peers) race(ctx context.Context) error {
	step("%d races of two triggers on each", p.races)
	rebake, err := measureRaces(ctx, p.systems.rebake, p.source, p.races, raceQuiet, "&recheck=0")
	if err != nil {
		return err
	}
	next, err := measureRaces(ctx, p.systems.next, p.source, p.races, raceQuiet, "")
	if err != nil {
		return err
	}
	p.add(row{name: fmt.Sprintf("lost updates of %d races", p.races), rebake: float64(rebake), next: float64(next), hugo: none, print: count})
	return nil
}

// bulkRounds is how often each way of a bulk is measured, by turns; the table
// has the one in the middle.
const bulkRounds = 3

// bulk has every post changed, and made again in each system's ways.
func (p *peers) bulk(ctx context.Context) error {
	ways := []struct {
		name string
		on   *system
		do   func() (time.Duration, error)
	}{
		{fmt.Sprintf("%d callers on Next.js", p.callers), p.systems.next, func() (time.Duration, error) {
			return measureCallers(ctx, p.systems.next, p.source, p.callers, "")
		}},
		{"rebake build", p.systems.rebake, func() (time.Duration, error) { return p.rebake.build(ctx) }},
		{fmt.Sprintf("%d callers on Rebake", p.callers), p.systems.rebake, func() (time.Duration, error) {
			return measureCallers(ctx, p.systems.rebake, p.source, p.callers, "&wait=1")
		}},
	}
	rates := make([][]float64, len(ways))
	for range bulkRounds {
		for i, way := range ways {
			took, err := p.changed(ctx, way.on, way.do)
			if err != nil {
				return err
			}
			step("%d changed posts, %s: %.0f pages/s", p.posts, way.name, p.rate(took))
			rates[i] = append(rates[i], p.rate(took))
		}
	}
	next, build, callers := median(rates[0]), median(rates[1]), median(rates[2])
	p.add(row{name: fmt.Sprintf("all posts changed (Rebake: build, Next.js: %d callers)", p.callers), rebake: build, next: next, hugo: p.rate(p.hugoAgain), print: perSecond, more: true})
	p.add(row{name: fmt.Sprintf("the same, %d callers on both, each waiting for its page", p.callers), rebake: callers, next: next, hugo: none, print: perSecond, more: true})
	return nil
}

// changed edits every post, has the system make all pages, looks whether it
// did, and leaves it time for its second looks.
func (p *peers) changed(ctx context.Context, s *system, all func() (time.Duration, error)) (time.Duration, error) {
	p.source.editAll()
	took, err := all()
	if err != nil {
		return 0, err
	}
	if err := s.complete(ctx, p.source); err != nil {
		return 0, err
	}
	return took, sleep(ctx, secondLook)
}

func (p *peers) memory(context.Context) error {
	rebake, err := p.rebake.memory()
	if err != nil {
		return err
	}
	next, err := p.next.memory()
	if err != nil {
		return err
	}
	fmt.Printf("Rebake's memory in MB: %s\nNext.js' memory in MB: %s\n", strings.Join(rebake.parts, ", "), strings.Join(next.parts, ", "))
	p.add(row{name: "peak memory of all processes", rebake: float64(rebake.total), next: float64(next.total), hugo: none, print: megabytes})
	return nil
}

func (p *peers) add(r row) { p.table.rows = append(p.table.rows, r) }

func (p *peers) rate(took time.Duration) float64 { return float64(p.posts) / took.Seconds() }

func timed(do func() error) (time.Duration, error) {
	started := time.Now()
	err := do()
	return time.Since(started), err
}

// step tells a person who waits, beside the results.
func step(format string, args ...any) { fmt.Fprintf(os.Stderr, "… "+format+"\n", args...) }

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
