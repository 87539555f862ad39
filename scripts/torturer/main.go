// Command torturer hurts Rebake and looks from outside whether it keeps its
// promises: no accepted trigger is lost, and readers never see a torn or an
// older page. It runs the real program with a real redis-server, keeps a ledger
// of its own of what was acknowledged, and reads the files as visitors do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) == 4 && os.Args[1] == publisherCommand {
		if err := publish(os.Args[2], os.Args[3], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "publisher:", err)
			os.Exit(1)
		}
		return
	}
	ownMounts()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

type options struct {
	long, control, list, markdown bool
	only, program                 string
	seed                          uint64
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	flags.BoolVar(&o.long, "long", false, "run everything, at full size")
	flags.BoolVar(&o.control, "control", false, "run what is broken on purpose alone: the judge has to see it")
	flags.BoolVar(&o.list, "list", false, "print the scenarios and run none")
	flags.BoolVar(&o.markdown, "markdown", false, "print the table in Markdown")
	flags.StringVar(&o.only, "only", "", "run these scenarios alone: names, or parts of them, with commas")
	flags.StringVar(&o.program, "program", "", "the rebake to hurt; without it, one is built")
	flags.Uint64Var(&o.seed, "seed", rand.Uint64(), "of the scenarios' chances; what the machine does is never the same twice")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%s: not understood; see --help", flags.Arg(0))
	}
	return o, nil
}

// choose returns the scenarios that the options mean.
func choose(all []Scenario, o options) ([]Scenario, error) {
	var list []Scenario
	for _, s := range all {
		named := o.only != "" && slices.ContainsFunc(strings.Split(o.only, ","), func(part string) bool { return strings.Contains(s.Name, part) })
		switch {
		case o.only != "" && !named, o.control && !s.Control, s.LongOnly && !o.long && !named && !o.control && !o.list:
		default:
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no scenario is called %q; see --list", o.only)
	}
	return list, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	chosen, err := choose(scenarios(), o)
	if err != nil {
		return err
	}
	if o.list {
		for _, s := range chosen {
			fmt.Printf("%-24s %s\n", s.Name, s.About)
		}
		return nil
	}
	dir, err := os.MkdirTemp("", "rebake-torture-")
	if err != nil {
		return err
	}
	if o.program == "" {
		o.program = filepath.Join(dir, "rebake")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", o.program, "./daemon/rebake").CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	fmt.Printf("%s %s/%s, %d CPUs, %s, --seed %d\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().Format(time.DateOnly), o.seed)
	results, err := runAll(ctx, chosen, dir, o)
	if err := errors.Join(err, writeTable(os.Stdout, results, o.markdown)); err != nil {
		return fmt.Errorf("%w\nwhat is left of it: %s", err, dir)
	}
	if failed := slices.DeleteFunc(slices.Clone(results), func(r result) bool { return len(r.problems) == 0 }); len(failed) > 0 {
		return fmt.Errorf("%d of %d scenarios failed; what is left of them: %s", len(failed), len(results), dir)
	}
	return os.RemoveAll(dir)
}

func runAll(ctx context.Context, chosen []Scenario, dir string, o options) (results []result, err error) {
	for _, s := range chosen {
		fmt.Fprintf(os.Stderr, "== %s: %s\n", s.Name, s.About)
		r, err := runOne(ctx, s, filepath.Join(dir, s.Name), o)
		if err != nil {
			return results, fmt.Errorf("%s: %w", s.Name, err)
		}
		results = append(results, r)
		for _, text := range slices.Concat(r.problems, r.outcome.Notes) {
			fmt.Fprintf(os.Stderr, "   %s\n", text)
		}
		if len(r.problems) > 0 {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, s.Name)); err != nil {
			return results, err
		}
	}
	return results, nil
}

// runOne runs a scenario in a directory of its own. A scenario that could not
// be run has failed; the others go on.
func runOne(ctx context.Context, s Scenario, dir string, o options) (result, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return result{}, err
	}
	lab := newLab(dir, o.program, o.long, o.seed, os.Stderr)
	outcome, err := s.Run(ctx, lab)
	lab.close()
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	r := result{scenario: s, outcome: outcome, took: time.Since(lab.started)}
	if err != nil {
		r.problems = []string{err.Error()}
	} else {
		r.problems = s.Problems(outcome, o.long)
	}
	return r, nil
}
