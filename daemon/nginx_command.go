package daemon

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"rebake/daemon/nginx"
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
			text := nginx.Include
			if server {
				text = nginx.Server
			}
			conf, err := text(nginx.Config{ServerName: serverName(cfg.Site), Output: cfg.Output, Listen: cfg.Listen, ServerListen: "80", TrailingSlash: cfg.TrailingSlash})
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

// serverName is the site's host without its port, which nginx does not compare.
func serverName(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		return site
	}
	return strings.TrimSuffix(u.Host, ":"+u.Port())
}
