package daemon

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rebake/daemon/config"
	"rebake/daemon/nginx"
	"rebake/daemon/setup"
	"rebake/renderer"
	"rebake/storage"
)

func newNginxCommand(flags *globalFlags) *cobra.Command {
	var server bool
	cmd := &cobra.Command{
		Use:   "nginx",
		Short: "Print what nginx needs to serve the site",
		Example: `  rebake nginx > /etc/nginx/snippets/rebake.conf
  rebake nginx --server > /etc/nginx/sites-available/www.example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(io.Discard)
			if err != nil {
				return err
			}
			nc, err := nginxConfig(cfg)
			if err != nil {
				return failed(err)
			}
			if nc.File, err = includeOf(flags.config); err != nil {
				return failed(err)
			}
			text := nginx.Include
			if server {
				text = nginx.Server
			}
			conf, err := text(nc)
			if err != nil {
				return failed(err)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), conf)
			return failed(err)
		},
	}
	cmd.Flags().BoolVar(&server, "server", false, "print a whole server block")
	return cmd
}

// includeOf is the file of nginx that init has written beside the config, ""
// when there is none.
func includeOf(flag string) (string, error) {
	conf, err := config.Find(flag)
	if err != nil {
		return "", err
	}
	name, err := filepath.Abs(filepath.Join(filepath.Dir(conf), setup.NginxFile))
	if err != nil {
		return "", fmt.Errorf("find %s: %w", setup.NginxFile, err)
	}
	if _, err := os.Stat(name); err != nil {
		return "", nil // it lies elsewhere, where nobody can know
	}
	return name, nil
}

// serverName is the site's host without its port, which nginx does not compare.
func serverName(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		return site
	}
	return strings.TrimSuffix(u.Host, ":"+u.Port())
}

// serverListen is where nginx listens for a site: at the port that its visitors
// use, or at that of HTTP where TLS comes before.
func serverListen(site string) string {
	u, err := url.Parse(site)
	if err != nil || u.Scheme != "http" {
		return "80"
	}
	return cmp.Or(u.Port(), "80")
}

// nginxConfig is what nginx has to know of the site.
func nginxConfig(cfg *config.Config) (nginx.Config, error) {
	c := nginx.Config{
		ServerName: serverName(cfg.Site), Output: cfg.Output, Listen: cfg.Listen, ServerListen: serverListen(cfg.Site), TrailingSlash: cfg.TrailingSlash,
		MaxBody: mostBody(cfg), Site: cfg.Site, IgnoreQuery: cfg.IgnoreQuery, BypassCookies: cfg.BypassCookies,
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Origins)) {
		o := cfg.Origins[name]
		c.Origins = append(c.Origins, nginx.Origin{
			Name: name, Kind: string(o.Kind), URLs: o.URLs, Host: o.Host, Passes: o.Passes(), Copied: o.Assets == "copy",
		})
	}
	for i, r := range cfg.Routes {
		pattern, err := renderer.ParsePattern(r.Path)
		if err != nil {
			return nginx.Config{}, fmt.Errorf("routes[%d].path: %w", i, err)
		}
		if kind := cmp.Or(r.Type, storage.TypeByName(r.Template)); isFeed(kind) && storage.TypeByName(r.Path) == "" {
			c.Feeds = append(c.Feeds, nginx.Feed{Regexp: pattern.Regexp(), Type: kind})
		}
		c.Routes = append(c.Routes, nginx.Route{
			Pattern: pattern.String(), Regexp: pattern.Regexp(), Origin: r.Origin + r.Pass, Pass: r.Pass != "",
		})
	}
	return c, nil
}

// mostBody is the largest body that any address takes.
func mostBody(cfg *config.Config) int64 {
	most := cfg.Limits.MaxBody
	for _, w := range cfg.AllWebhooks() {
		most = max(most, w.MaxBody)
	}
	return most
}

func isFeed(kind string) bool {
	return kind == "application/rss+xml" || kind == "application/atom+xml"
}
