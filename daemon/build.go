package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"rebake/daemon/config"
	"rebake/storage"
	"rebake/worker"
)

func newBuildCommand(flags *globalFlags) *cobra.Command {
	var missing, adopt, asJSON bool
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Render every known page, and wait for it",
		Long: `Build triggers every page of the site at low priority: those that the routes'
lists name, those of routes without parameters, and those that are known from
before. It renders them itself, together with the workers that are running, and
ends when all are done. The exit code is not 0 if anything failed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if adopt {
				return failed(runAdopt(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr()))
			}
			report, err := runBuild(cmd.Context(), cfg, missing, cmd.ErrOrStderr())
			if err != nil {
				return failed(err)
			}
			return printBuild(cmd.OutOrStdout(), report, asJSON)
		},
	}
	cmd.Flags().BoolVar(&missing, "missing", false, "only pages that are not published")
	cmd.Flags().BoolVar(&adopt, "adopt", false, "take the files in the output for published pages, and fetch nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the summary as JSON")
	cmd.MarkFlagsMutuallyExclusive("missing", "adopt")
	return cmd
}

// runBuild is a worker of its own for as long as the build takes.
func runBuild(ctx context.Context, cfg *config.Config, missing bool, stderr io.Writer) (report worker.BuildReport, err error) {
	log := newLog(stderr, config.Log{Level: "warn", Format: cfg.Log.Format})
	a, err := newApp(ctx, cfg, roles{worker: true, build: true}, log)
	if err != nil {
		return report, err
	}
	b := worker.Build{Missing: missing, Reason: "rebake build", Fixed: a.renderer.Load().FixedPaths()}
	for _, l := range a.renderer.Load().Lists() {
		b.Lists = append(b.Lists, l)
	}
	show := newProgress(stderr)
	b.Progress = show.update
	ctx, done := context.WithCancel(ctx)
	defer done()
	var buildErr error
	build := func(ctx context.Context) error {
		defer done()
		report, buildErr = a.worker.Build(ctx, b)
		return nil
	}
	err = runStages(ctx, []service{build}, []service{a.run})
	show.end()
	return report, errors.Join(buildErr, err)
}

// runAdopt rebuilds the ledger's records from the files in the output.
func runAdopt(ctx context.Context, cfg *config.Config, stdout, stderr io.Writer) error {
	a, err := newApp(ctx, cfg, roles{build: true}, newLog(stderr, config.Log{Level: "warn", Format: cfg.Log.Format}))
	if err != nil {
		return err
	}
	rules := storage.PathRules{Reserved: cfg.Reserved, WellKnown: a.renderer.Load().WellKnown()}
	n, err := a.worker.Adopt(ctx, rules)
	if err := errors.Join(err, a.close()); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s %d files adopted, %d known already, %d that no route matches left alone\n",
		color.GreenString("✓"), n.Pages, n.Known, n.Unmatched)
	return nil
}

// progress shows a bar on a terminal, and elsewhere a line now and then.
type progress struct {
	bar  *progressbar.ProgressBar
	out  io.Writer
	last time.Time
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, last: time.Now()}
	if f, ok := out.(interface{ Fd() uintptr }); ok && isatty.IsTerminal(f.Fd()) {
		p.bar = progressbar.NewOptions64(-1,
			progressbar.OptionSetWriter(out), progressbar.OptionSetDescription("building"),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("pages"),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	}
	return p
}

// progressEvery is the time between two lines where there is no terminal.
const progressEvery = 5 * time.Second

func (p *progress) update(r worker.BuildReport) {
	if p.bar != nil {
		if known := int64(r.Done); r.Known > known {
			p.bar.ChangeMax64(r.Known)
		}
		_ = p.bar.Set(r.Done)
		return
	}
	if time.Since(p.last) < progressEvery {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.out, "building: %d pages in %s, %.0f pages/s\n", r.Done, r.Took.Round(time.Second), rate(r))
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

func rate(r worker.BuildReport) float64 {
	if r.Took <= 0 {
		return 0
	}
	return float64(r.Done) / r.Took.Seconds()
}

// buildSummary is what --json prints.
type buildSummary struct {
	Pages    int           `json:"pages"`
	Failed   []buildFailed `json:"failed"`
	Problems []string      `json:"problems"`
	Seconds  float64       `json:"seconds"`
}

type buildFailed struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

func printBuild(w io.Writer, r worker.BuildReport, asJSON bool) error {
	sum := buildSummary{Pages: r.Done, Failed: []buildFailed{}, Problems: []string{}, Seconds: r.Took.Seconds()}
	for _, f := range r.Failed {
		sum.Failed = append(sum.Failed, buildFailed{f.Path.String(), f.Reason})
	}
	for _, err := range r.Problems {
		sum.Problems = append(sum.Problems, err.Error())
	}
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
	for _, text := range sum.Problems {
		fmt.Fprintf(w, "%s %s\n", color.YellowString("!"), text)
	}
	for _, f := range sum.Failed[:min(len(sum.Failed), mostShown)] {
		fmt.Fprintf(w, "%s %s  %s\n", color.RedString("✗"), f.Path, f.Reason)
	}
	if more := len(sum.Failed) - mostShown; more > 0 {
		fmt.Fprintf(w, "  and %d more; --json prints all\n", more)
	}
	mark := color.GreenString("✓")
	if len(sum.Failed)+len(sum.Problems) > 0 {
		mark = color.RedString("✗")
	}
	fmt.Fprintf(w, "%s %d pages in %s, %.0f pages/s, %d failed\n", mark, sum.Pages,
		time.Duration(sum.Seconds*float64(time.Second)).Round(time.Millisecond), perSecond, len(sum.Failed))
}
