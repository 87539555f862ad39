package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/daemon/config"
	"rebake/daemon/nginx"
	"rebake/daemon/setup"
	"rebake/renderer/origin"
)

func newInitCommand(flags *globalFlags) *cobra.Command {
	var opts initOptions
	cmd := &cobra.Command{
		Use:   "init URL",
		Short: "Look at a site, and write what Rebake needs for it",
		Long: `Init looks at the site at URL, the address that visitors use, and says what it
sees: WordPress, Next.js, Nuxt or another. It keeps the site as it looks today:
its pages become files, and its own server goes on to answer all the rest. It
writes rebake.yaml, its secrets, rebake-nginx.conf and rebake.service, tries
them as check does, and says what to do next. Nothing of what is public changes.

With --headless it begins a site of templates over WordPress' API instead.`,
		Example: `  rebake init https://www.example.com
  rebake init https://www.example.com --origin http://127.0.0.1:3000 --build /srv/app/.next
  rebake init https://www.example.com --origin https://cms.example.com --headless`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("say which site: rebake init https://www.example.com")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.config != "" {
				return &exitError{exitUsage, errors.New("init writes a config called rebake.yaml; --dir says where")}
			}
			opts.wish.URL = args[0]
			return failed(runInit(cmd.Context(), cmd.OutOrStdout(), opts))
		},
	}
	cmd.Flags().StringVar(&opts.wish.Origin, "origin", "", "where the site's own server answers, without nginx's files before it")
	cmd.Flags().BoolVar(&opts.wish.Headless, "headless", false, "begin with templates over WordPress' API")
	cmd.Flags().StringVar(&opts.build, "build", "", "the .next folder of a site of Next.js")
	cmd.Flags().StringVar(&opts.dir, "dir", ".", "the folder for the files")
	cmd.Flags().BoolVar(&opts.force, "force", false, "overwrite files that are there, except the secret")
	cmd.Flags().BoolVar(&opts.dryRun, "dry-run", false, "print the files, and write none")
	return cmd
}

type initOptions struct {
	wish          setup.Wish
	build, dir    string
	force, dryRun bool
}

func runInit(ctx context.Context, w io.Writer, opts initOptions) error {
	dir, err := filepath.Abs(opts.dir)
	if err != nil {
		return fmt.Errorf("find the folder: %w", err)
	}
	mayWrite := func(names ...string) error {
		present, err := setup.Present(dir, names)
		if err != nil || opts.force || opts.dryRun || len(present) == 0 {
			return err
		}
		return fmt.Errorf("%s is there already: name another folder with --dir, or overwrite it with --force", filepath.Join(dir, present[0]))
	}
	if err := mayWrite(setup.ConfigFile, setup.NginxFile, setup.ServiceFile); err != nil {
		return err
	}
	out := newScreen(w)
	site, err := setup.Look(ctx, opts.wish, out.field)
	if err != nil {
		return err
	}
	plan, err := newPlan(site, dir, opts.build)
	if err != nil {
		return err
	}
	list, err := plan.Files()
	if err != nil {
		return err
	}
	st, err := stage(dir, list)
	if err != nil {
		return err
	}
	defer os.RemoveAll(st.dir)
	list = append(list, setup.File{Name: setup.NginxFile, Mode: 0o644, Body: []byte(st.nginx)})
	if opts.dryRun {
		printFiles(w, list)
	} else {
		names := make([]string, len(list))
		for i, f := range list {
			names[i] = f.Name
		}
		if err := mayWrite(names...); err != nil {
			return err
		}
		if err := setup.Write(dir, list, opts.force); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s wrote %s\n", color.GreenString("✓"), shortly(names))
		if st.cfg, err = config.Load(plan.Config(), os.LookupEnv); err != nil {
			return err
		}
	}
	ok := runChecks(ctx, w, st.cfg)
	for _, note := range append(st.cfg.Warnings(), slices.Concat(site.Notes, closed(dir), plan.Unseen())...) {
		fmt.Fprintf(w, "%s %s\n", color.YellowString("!"), note)
	}
	printSteps(out, nextSteps(plan))
	if !ok {
		return fmt.Errorf("not everything works yet; see the lines with ✗ above, and try again with `%s`", command(plan, "check"))
	}
	return nil
}

// newPlan says what the files have to know of this machine.
func newPlan(site *setup.Site, dir, build string) (setup.Plan, error) {
	p := setup.Plan{Site: site, Dir: dir, Program: program(), User: runsAs(dir)}
	var err error
	if p.Listen, p.Admin, err = freePair(); err != nil {
		return p, err
	}
	switch here := filepath.Join(dir, ".next"); {
	case build != "" && site.Kind != origin.Next:
		return p, fmt.Errorf("--build is the folder of a build of Next.js, and the site runs something else: %s", site.Kind)
	case build != "":
		p.Build, err = filepath.Abs(build)
	case site.Kind == origin.Next && isBuild(here):
		p.Build = here
	}
	return p, err
}

// isBuild reports whether "next build" has written a folder.
func isBuild(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "prerender-manifest.json"))
	return err == nil
}

// staged are the files in a folder of their own, before any is where it
// belongs: what cannot be loaded is not written.
type staged struct {
	dir   string
	cfg   *config.Config // with its paths below the final folder, but for the templates
	nginx string
}

func stage(final string, list []setup.File) (_ *staged, err error) {
	s := &staged{}
	if s.dir, err = os.MkdirTemp("", "rebake-init-"); err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(s.dir))
		}
	}()
	if err := setup.Write(s.dir, list, false); err != nil {
		return nil, err
	}
	if s.cfg, err = config.Load(filepath.Join(s.dir, setup.ConfigFile), os.LookupEnv); err != nil {
		return nil, fmt.Errorf("the config for this site would not be accepted: %w", err)
	}
	for _, path := range []*string{&s.cfg.Output, &s.cfg.State} {
		if rest, err := filepath.Rel(s.dir, *path); err == nil {
			*path = filepath.Join(final, rest)
		}
	}
	nc, err := nginxConfig(s.cfg)
	if err != nil {
		return nil, err
	}
	nc.File = filepath.Join(final, setup.NginxFile)
	if s.nginx, err = nginx.Include(nc); err != nil {
		return nil, fmt.Errorf("nginx: %w", err)
	}
	return s, nil
}

// shortly names the files, and the templates by their folder.
func shortly(names []string) string {
	var out []string
	for _, name := range names {
		if folder, _, below := strings.Cut(name, "/"); below {
			name = folder
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

func printFiles(w io.Writer, list []setup.File) {
	for _, f := range list {
		text := string(f.Body)
		if f.IsSecret() {
			text = "(a new secret)\n"
		}
		fmt.Fprintf(w, "\n%s\n%s", color.New(color.Bold).Sprintf("── %s", f.Name), text)
	}
	fmt.Fprintln(w)
}
