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
	"rebake/renderer"
	"rebake/storage"
	"rebake/worker"
)

func newBuildCommand(flags *globalFlags) *cobra.Command {
	var missing, adopt, rebuild, asJSON bool
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Render every known page, and wait for it",
		Long: `Build triggers every page of the site at low priority: those that the routes'
lists name, those of routes without parameters, those in the sitemaps of origins,
and those that are known from before. It follows the links of all of these to
more pages of origins, and to the assets that are to be copied. It renders them
itself, together with the workers that are running, and ends when all are done.
The exit code is not 0 if anything failed; a broken link is told, and is no
failure.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if adopt {
				return failed(runAdopt(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr()))
			}
			report, err := runBuild(cmd.Context(), cfg, roles{worker: true, build: true, rebuild: rebuild}, missing, cmd.ErrOrStderr())
			if err != nil {
				return failed(err)
			}
			return printBuild(cmd.OutOrStdout(), report, asJSON)
		},
	}
	cmd.Flags().BoolVar(&missing, "missing", false, "only pages that are not published")
	cmd.Flags().BoolVar(&adopt, "adopt", false, "take the files in the output for published pages, and fetch nothing")
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "also into an output that has lost all its pages")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the summary as JSON")
	cmd.MarkFlagsMutuallyExclusive("missing", "adopt", "rebuild")
	return cmd
}

// runBuild is a worker of its own for as long as the build takes.
func runBuild(ctx context.Context, cfg *config.Config, as roles, missing bool, stderr io.Writer) (report worker.BuildReport, err error) {
	log := newLog(stderr, config.Log{Level: "warn", Format: cfg.Log.Format})
	a, err := newApp(ctx, cfg, as, log)
	if err != nil {
		return report, err
	}
	b := newBuild(a.renderer.Load(), cfg)
	b.Missing = missing
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

// newBuild says where the pages of a site are found.
func newBuild(r *renderer.Renderer, cfg *config.Config) worker.Build {
	b := worker.Build{Reason: "rebake build", Fixed: r.FixedPaths()}
	for _, l := range r.Lists() {
		b.Lists = append(b.Lists, l)
	}
	for _, s := range r.Sitemaps() {
		b.Sitemaps = append(b.Sitemaps, s)
	}
	if c := r.Crawl(cfg.IgnoreQuery); c != nil { // else the interface would not be nil
		b.Crawl = c
	}
	return b
}

// runAdopt rebuilds the ledger's records from the files in the output.
func runAdopt(ctx context.Context, cfg *config.Config, stdout, stderr io.Writer) error {
	a, err := newApp(ctx, cfg, roles{build: true, adopt: true}, newLog(stderr, config.Log{Level: "warn", Format: cfg.Log.Format}))
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
