package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/api"
	"rebake/daemon/config"
)

func newDevCommand(flags *globalFlags) *cobra.Command {
	var site string
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run, and follow every save of a template",
		Long: `Dev does what serve does, for the one who writes the templates. It serves the
site itself, renders a page when it is asked for the first time, and when a
template is saved, renders the pages that were made with it; the browser follows.
An error in a template is shown here and in the browser, over the last good page.

When the config names no Redis, the queue is kept in memory.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(runDev(cmd.Context(), cfg, site, cmd.OutOrStdout(), cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().StringVar(&site, "listen-site", "127.0.0.1:8080", "where to look at the site")
	return cmd
}

// dev is a site that somebody works on.
type dev struct {
	app    *app
	server *devServer
	site   *api.Listener
	watch  *folderWatch
	out    io.Writer
}

func runDev(ctx context.Context, cfg *config.Config, site string, stdout, stderr io.Writer) error {
	if cfg.Redis == "" {
		cfg.Redis = "memory"
		fmt.Fprintln(stderr, color.YellowString("warning:"),
			"the config names no Redis: the queue is in memory, every trigger is forgotten at the end, and all files in output are taken for rebake's own")
	}
	d, err := newDev(ctx, cfg, site, stdout, stderr)
	if err != nil {
		return err
	}
	reload := func(ctx context.Context) error {
		return runReloader(ctx, newReloader(d.app, d.loaded), d.watch.changed)
	}
	return runStages(ctx, []service{d.show, d.watch.run, reload}, []service{d.site.Run}, []service{d.app.run})
}

func newDev(ctx context.Context, cfg *config.Config, site string, stdout, stderr io.Writer) (_ *dev, err error) {
	log := newLog(stderr, config.Log{Level: "warn", Format: cfg.Log.Format}) // show tells the rest
	d := &dev{out: stdout}
	// Before the templates are loaded, so that no save falls between.
	if d.watch, err = newFolderWatch(cfg.Templates); err != nil {
		return nil, err
	}
	if d.app, err = newApp(ctx, cfg, roles{api: true, worker: true}, log); err != nil {
		return nil, errors.Join(err, d.watch.watcher.Close())
	}
	d.server = newDevServer(d.app)
	// The clients that follow pages never end by themselves.
	const grace = 100 * time.Millisecond
	if d.site, err = api.Listen(site, d.server, grace, log); err != nil {
		return nil, errors.Join(fmt.Errorf("%w (--listen-site)", err), d.watch.watcher.Close(),
			d.app.public.Close(), d.app.admin.Close(), d.app.close())
	}
	return d, nil
}

// loaded tells here and in the browser how a load of the templates ended.
func (d *dev) loaded(err error) {
	d.server.loaded(err)
	if err != nil {
		fmt.Fprintf(d.out, "  %s  %s\n", time.Now().Format("15:04:05"), color.RedString("templates not loaded, the old ones stay: %v", err))
	}
}

// show prints what there is to do, and then what happens.
func (d *dev) show(ctx context.Context) error {
	events, unsubscribe := d.app.feed.Subscribe(1024)
	defer unsubscribe()
	link := color.New(color.FgCyan).Sprint
	fmt.Fprintf(d.out, "\n  %s  %s  follows what you save in %s. Ctrl-C ends it.\n\n",
		color.New(color.Bold).Sprint("Rebake dev"), link("http://"+d.site.Addr()+"/"), d.app.cfg.Templates)
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-events:
			showEvent(d.out, e)
		}
	}
}
