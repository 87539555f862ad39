package daemon

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"rebake/api/webhook"
	"rebake/daemon/config"
	"rebake/daemon/setup"
	"rebake/renderer/origin"
)

// nextSteps are what is left for a person to do, in their order. Until nginx's
// own, none changes what is public.
func nextSteps(p setup.Plan) []string {
	var steps []string
	add := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	if !p.Site.Found {
		steps = append(steps, behind(p))
	}
	if _, err := os.Stat(p.Program); err != nil {
		add("install -m 755 %s %s", executable(), p.Program)
	}
	if p.User == serviceUser && !hasUser(serviceUser) {
		add("useradd --system %s && chown -R %s: %s", serviceUser, serviceUser, p.Dir)
	} else if os.Getuid() == 0 {
		add("chown -R %s: %s", p.User, p.Dir)
	}
	if p.Site.Headless != nil {
		add("Look at the site while you change its templates: `%s`", command(p, "dev"))
	}
	add("cp %s /etc/systemd/system/%s.service && systemctl daemon-reload && systemctl enable --now %s",
		filepath.Join(p.Dir, setup.ServiceFile), p.Unit(), p.Unit())
	add("Make all pages: `%s`", command(p, "build"))
	add("In nginx's server block of %s keep listen, server_name and the ssl lines, and write in the place of all others: `include %s;` Then: nginx -t && systemctl reload nginx",
		p.Host(), filepath.Join(p.Dir, setup.NginxFile))
	return append(steps, tell(p))
}

// tell says how Rebake learns of edits.
func tell(p setup.Plan) string {
	name := p.Webhook()
	if name == "" {
		return fmt.Sprintf("Have edits told to %s/api/revalidate, with the secret in %s (README, \"Let the CMS call it\")", p.Site.URL, setup.SecretFile)
	}
	listen := p.Listen
	if listen == "" {
		listen = config.Default().Listen
	}
	return fmt.Sprintf("Let WordPress tell of edits: install Rebake's plugin (README, \"WordPress\"), and in Settings > Rebake enter http://%s%s%s and the secret in %s",
		listen, webhook.Prefix, name, filepath.Join(p.Dir, setup.WebhookFile))
}

// behind says how a site gets an address behind nginx.
func behind(p setup.Plan) string {
	at := p.Site.Origin
	if u, err := url.Parse(at); err == nil {
		at = u.Host
	}
	if p.Site.Kind == origin.Next || p.Site.Kind == origin.Nuxt {
		return fmt.Sprintf("Let the app answer at %s, or write where it does into urls of %s; `%s` must find it", at, setup.ConfigFile, command(p, "check"))
	}
	https, apache := "", ""
	if strings.HasPrefix(p.Site.URL, "https:") {
		https, apache = ", and beside fastcgi_pass `fastcgi_param HTTPS on;`", ", `SetEnv HTTPS on`"
	}
	return fmt.Sprintf("Let the site answer at %s as well: copy its server block, and in the copy write `listen %s;` in the place of the listen and ssl lines%s "+
		"(Apache: `Listen %s`, and a copy of the VirtualHost for it%s). Reload; `%s` must find it", at, at, https, at, apache, command(p, "check"))
}

// command is a command line for the site, by the user that it runs as. It names
// the config, since nobody knows in which folder the line will be entered.
func command(p setup.Plan, name string) string {
	line := "rebake " + name + " --config " + p.Config()
	if os.Getuid() == 0 && name != "check" {
		line = "runuser -u " + p.User + " -- " + line
	}
	return line
}

func printSteps(out screen, steps []string) {
	fmt.Fprintln(out, "\nNext:")
	for i, step := range steps {
		if out.width > 0 {
			step = strings.Join(fold(step, out.width-5), "\n     ")
		}
		fmt.Fprintf(out, "  %d. %s\n", i+1, step)
	}
}
