// Package nginx writes what nginx needs to serve a site of Rebake: the output
// directory's files first, Rebake for what is not there, and the site's origin,
// if it has one, for whatever is not everybody's and for what Rebake has not.
//
// The text is complete and can be read; a value that could break out of its
// place is refused, never repaired. Nothing here runs nginx.
package nginx

import (
	"bytes"
	"embed"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"rebake/storage"
)

// Config is what differs between two sites.
type Config struct {
	// ServerName is the site's host, or several with spaces between them. Only
	// Server needs it.
	ServerName string
	// File is the absolute path of the file that Include's text is for; empty
	// for one that is not known, and then a comment names a usual one.
	File string
	// Output is the absolute path of the output directory.
	Output string
	// Listen is where Rebake listens, "127.0.0.1:8600". A host that means all
	// addresses is asked at the loopback.
	Listen string
	// TrailingSlash is "always" or "never" to redirect to one form of a page's
	// address; otherwise both are served.
	TrailingSlash string
	// ServerListen is where nginx listens: a port, or host and port. Empty
	// means 80. Only Server needs it.
	ServerListen string

	// Site is the public URL, scheme and host. Only a site with origins needs
	// it, and the fields below.
	Site string
	// Origins are the servers that answer what is no page; none for a site
	// that Rebake makes alone.
	Origins []Origin
	// Routes say whose a path is; the first match wins. What none of them has
	// is for the last origin that they name, or else for the last of Origins.
	Routes []Route
	// IgnoreQuery are query parameters that change nothing about a page, and
	// BypassCookies cookies whose visitors the origin knows. A name may end in
	// * for any that begins so.
	IgnoreQuery, BypassCookies []string
	// Feeds are the pages that are more than XML.
	Feeds []Feed
	// MaxBody is the largest body that Rebake takes, in bytes; 0 is 1 MiB.
	MaxBody int64

	site *url.URL // Site, when it has been checked
}

// Body is MaxBody as nginx writes it.
func (c Config) Body() string {
	const mebi = 1 << 20
	if c.MaxBody == 0 || c.MaxBody%mebi == 0 {
		return strconv.FormatInt(max(c.MaxBody/mebi, 1), 10) + "m"
	}
	return strconv.FormatInt(c.MaxBody, 10)
}

// Include returns what goes into the site's own server block. The error names
// the field that nginx could not be told.
func Include(c Config) (string, error) { return render("include", c) }

// Server returns a whole server block. Errors are as for Include.
func Server(c Config) (string, error) {
	if c.ServerName == "" {
		return "", fmt.Errorf("server name: is empty")
	}
	if c.ServerListen == "" {
		c.ServerListen = "80"
	}
	return render("server", c)
}

//go:embed *.conf.tmpl
var files embed.FS

func render(name string, c Config) (string, error) {
	c, err := c.checked()
	if err != nil {
		return "", err
	}
	p := newPlan(c, name == "server")
	t := template.New("nginx")
	t.Funcs(template.FuncMap{
		"quote":   quote,
		"indent":  indent,
		"apis":    func() []string { return apis },
		"telling": telling,
		"known":   known,
		"site": func(p plan) (string, error) {
			var b bytes.Buffer
			err := t.ExecuteTemplate(&b, "site", p)
			return b.String(), err
		},
	})
	if _, err := t.ParseFS(files, "*.tmpl"); err != nil {
		return "", fmt.Errorf("parse nginx template: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, p); err != nil {
		return "", fmt.Errorf("fill nginx template: %w", err)
	}
	return b.String(), nil
}

// apis are the locations that go to Rebake whatever files there are. They win
// over every location that a site may have beside them.
var apis = []string{"= /api/revalidate", "= /api/revalidate/", "^~ /_rebake/webhooks/"}

// named are pages whose names are files, and where those without one go.
type named struct {
	plan
	Types []fileType
	Miss  string
}

type fileType struct{ Extension, Type string }

// Pages are those that Rebake is asked for. An origin's scripts, styles and
// images are none.
func (p plan) Pages() named {
	return named{plan: p, Types: fileTypes(func(t fileType) bool { return len(p.Asked) == 0 || !t.isAsset() }), Miss: p.Miss()}
}

// Assets are an origin's scripts, styles and images.
func (p plan) Assets() named {
	return named{plan: p, Types: fileTypes(fileType.isAsset), Miss: p.Asset()}
}

// fileTypes are those of file-like pages, see storage.Path.FileType.
func fileTypes(want func(fileType) bool) []fileType {
	var list []fileType
	for _, ext := range storage.FileExtensions() {
		if t := (fileType{strings.TrimPrefix(ext, "."), storage.TypeByName(ext)}); want(t) {
			list = append(list, t)
		}
	}
	return list
}

// isAsset reports whether pages name files of the type, and people do not.
func (t fileType) isAsset() bool {
	return !storage.IsText(t.Type) || slices.Contains([]string{"text/css", "text/javascript", "image/svg+xml", "application/manifest+json"}, t.Type)
}

// quote makes one word of s for nginx, which has been checked to be possible.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func indent(s string) string {
	lines := strings.SplitAfter(s, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			lines[i] = "\t" + line
		}
	}
	return strings.Join(lines, "")
}
