package daemon

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/api"
	"rebake/daemon/config"
	"rebake/daemon/demo"
	"rebake/daemon/files"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

func newDemoCommand() *cobra.Command {
	var opts demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a small site, with nothing to set up",
		Long: `Demo runs a complete small site in a temporary directory: a sample CMS with a
page to edit posts, templates, the queue (in memory), the workers, and a server
for the files. It needs nothing installed, and leaves nothing behind.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(runDemo(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), opts))
		},
	}
	cmd.Flags().BoolVar(&opts.once, "once", false, "edit one post, show that its page changed, and end")
	cmd.Flags().DurationVar(&opts.slow, "slow", 0, "let the answers of the CMS take this long on their way, such as 2s")
	cmd.Flags().StringVar(&opts.secret, "secret", "", "the secret of /api/revalidate (default a new one)")
	return cmd
}

type demoOptions struct {
	once   bool
	slow   time.Duration
	secret string
}

// demoSite is the demo's own part of the site: the CMS and the file server,
// which stand for WordPress and nginx.
type demoSite struct {
	app    *app
	cms    *demo.CMS
	editor *api.Listener
	files  *api.Listener
	secret storage.Secret
	out    io.Writer
}

func runDemo(ctx context.Context, stdout, stderr io.Writer, opts demoOptions) error {
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	d, dir, err := openDemo(ctx, opts, stdout, log)
	// Between the choice of a port and its use another program may take it.
	for tries := 1; errors.Is(err, syscall.EADDRINUSE) && tries < 5; tries++ {
		d, dir, err = openDemo(ctx, opts, stdout, log)
	}
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	show := func(show context.Context) error {
		if opts.once {
			defer stop()
			return d.once(show)
		}
		return d.watch(show)
	}
	// The last renders ask the CMS still.
	return runStages(ctx, []service{show}, []service{d.app.run}, []service{d.editor.Run, d.files.Run})
}

// openDemo opens a demo in a directory of its own. After an error nothing is
// left of it.
func openDemo(ctx context.Context, opts demoOptions, out io.Writer, log *slog.Logger) (_ *demoSite, dir string, err error) {
	if dir, err = os.MkdirTemp("", "rebake-demo-"); err != nil {
		return nil, "", fmt.Errorf("make demo directory: %w", err)
	}
	d, err := newDemoSite(ctx, dir, opts, out, log)
	if err != nil {
		return nil, "", errors.Join(err, os.RemoveAll(dir))
	}
	return d, dir, nil
}

func newDemoSite(ctx context.Context, dir string, opts demoOptions, out io.Writer, log *slog.Logger) (_ *demoSite, err error) {
	d := &demoSite{cms: demo.NewCMS(), secret: storage.Secret(cmp.Or(opts.secret, rand.Text())), out: out}
	d.cms.Latency = opts.slow
	addr := make(map[string]string)
	for name, port := range map[string]string{"site": "8080", "cms": "8081", "listen": "8600", "admin": "8601"} {
		if addr[name], err = freeAddr(port); err != nil {
			return nil, err
		}
	}
	siteURL, cmsURL := "http://"+addr["site"], "http://"+addr["cms"]
	if err := demo.Write(dir, demo.Params{
		Site: siteURL, CMS: cmsURL, Secret: d.secret, Listen: addr["listen"], Admin: addr["admin"],
	}); err != nil {
		return nil, err
	}
	cfg, err := config.Load(filepath.Join(dir, "rebake.yaml"), os.LookupEnv)
	if err != nil {
		return nil, err
	}
	notifier := &demo.Notifier{URL: "http://" + cfg.Listen + "/api/revalidate", Secret: d.secret}
	editor, err := demo.NewEditor(d.cms, notifier, siteURL)
	if err != nil {
		return nil, err
	}
	if d.editor, err = api.Listen(addr["cms"], editor, time.Second, log); err != nil {
		return nil, err
	}
	if d.files, err = api.Listen(addr["site"], files.Server(cfg.Output), time.Second, log); err != nil {
		return nil, errors.Join(err, d.editor.Close())
	}
	if d.app, err = newApp(ctx, cfg, roles{api: true, worker: true}, log); err != nil {
		return nil, errors.Join(err, d.files.Close(), d.editor.Close())
	}
	return d, nil
}

// freeAddr takes the port that people remember, or any other when another
// program has it.
func freeAddr(port string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// build renders every page of the site for the first time.
func (d *demoSite) build(ctx context.Context) error {
	started := time.Now()
	t := worker.Trigger{Priority: ledger.Low, Reason: "first build"}
	for _, s := range d.cms.Pages() {
		p, err := storage.ParsePath(s)
		if err != nil {
			return err
		}
		t.Paths = append(t.Paths, p)
	}
	accepted, err := d.app.worker.Accept(ctx, t)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	for _, p := range accepted.Pages {
		if err := d.app.worker.Wait(ctx, p); err != nil {
			return fmt.Errorf("build: %w", err)
		}
	}
	fmt.Fprintf(d.out, "\n  %s  a small blog, %d pages rendered in %s\n\n",
		color.New(color.Bold).Sprint("Rebake demo"), len(accepted.Pages), time.Since(started).Round(time.Millisecond))
	return nil
}

// watch shows what there is to try, and then what happens.
func (d *demoSite) watch(ctx context.Context) error {
	events, unsubscribe := d.app.feed.Subscribe(1024)
	defer unsubscribe()
	if err := d.build(ctx); err != nil {
		return unlessDone(ctx, err)
	}
	for len(events) > 0 { // those of the build
		<-events
	}
	d.invite()
	for {
		select {
		case <-ctx.Done():
			fmt.Fprintln(d.out)
			return nil
		case e := <-events:
			showEvent(d.out, e)
		}
	}
}

func (d *demoSite) invite() {
	link := color.New(color.FgCyan).Sprint
	cfg := d.app.cfg
	fmt.Fprintf(d.out, `  The site   %s   plain files, as nginx would serve them
  The CMS    %s   edit a post here and save it

  Saving sends a trigger, as a WordPress plugin does. Only the pages that show
  the post are rendered again and swapped; each says so below. By hand:

    curl -H 'Authorization: Bearer %s' 'http://%s/api/revalidate?path=/'
    go run ./daemon/rebake --config %s explain /

  The files are in %s. Ctrl-C ends the demo and deletes them.

`, link("http://"+d.files.Addr()+"/"), link("http://"+d.editor.Addr()+"/"), d.secret.Reveal(), cfg.Listen,
		filepath.Join(filepath.Dir(cfg.Output), "rebake.yaml"), cfg.Output)
}

// showEvent prints a line for a page that came to an end.
func showEvent(out io.Writer, e ledger.Event) {
	paint := color.New(color.FgGreen)
	switch e.Kind {
	case ledger.Unchanged:
		paint = color.New(color.Faint)
	case ledger.Retrying, ledger.Refused, ledger.Failed:
		paint = color.New(color.FgRed)
	}
	// The words are padded before they are painted: colours have no width.
	fmt.Fprintf(out, "  %s  %s  %-36s %5d ms after the trigger, rendered in %d ms",
		e.At.Format("15:04:05"), paint.Sprintf("%-9s", e.Kind), e.Path, e.Waited.Milliseconds(), e.Ran.Milliseconds())
	if e.Reason == ledger.SecondLook && e.Waited < e.Ran+time.Second { // and nothing else was owed
		fmt.Fprint(out, "  (second look)")
	}
	if e.Error != "" {
		fmt.Fprintf(out, "\n            %s", e.Error)
	}
	fmt.Fprintln(out)
}

// once makes the demo's point without anybody at the keyboard.
func (d *demoSite) once(ctx context.Context) error {
	if err := d.build(ctx); err != nil {
		return unlessDone(ctx, err)
	}
	post := d.cms.Posts()[0]
	url := "http://" + d.files.Addr() + post.Path()
	before, err := title(ctx, url)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  before  %s  %q\n", post.Path(), before)
	fresh := post.Title + ", fresh from the oven"
	started := time.Now()
	if _, _, err := d.cms.Update(post.ID, demo.Edit{Title: &fresh}); err != nil {
		return fmt.Errorf("edit the post: %w", err)
	}
	took := time.Since(started)
	after, err := title(ctx, url)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  after   %s  %q\n", post.Path(), after)
	if !strings.Contains(after, fresh) {
		return fmt.Errorf("the page still says %q", after)
	}
	fmt.Fprintf(d.out, "\n  %s the edit was public after %s\n\n", color.GreenString("✓"), took.Round(time.Millisecond))
	return nil
}

// title returns what a reader sees in the browser's tab.
func title(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("read the page: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", fmt.Errorf("read the page: %w", err)
	}
	_, rest, _ := strings.Cut(string(b), "<title>")
	text, _, found := strings.Cut(rest, "</title>")
	if !found {
		return "", fmt.Errorf("read the page: %s answered %s without a title", url, res.Status)
	}
	return strings.TrimSpace(text), nil
}

// unlessDone hides the error of a demo that was ended by hand.
func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
