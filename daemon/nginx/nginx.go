// Package nginx writes what nginx needs to serve a site of Rebake: the output
// directory's files first, and Rebake for what is not there.
//
// The text is complete and can be read; a value that could break out of its
// place is refused, never repaired. Nothing here runs nginx.
package nginx

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"text/template"

	"rebake/storage"
)

// Config is what differs between two sites.
type Config struct {
	// ServerName is the site's host, or several with spaces between them. Only
	// Server needs it.
	ServerName string
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

//go:embed include.conf.tmpl server.conf.tmpl
var files embed.FS

func render(name string, c Config) (string, error) {
	c, err := c.checked()
	if err != nil {
		return "", err
	}
	t := template.New("nginx")
	t.Funcs(template.FuncMap{
		"quote":  quote,
		"indent": indent,
		"types":  fileTypes,
		"apis":   func() []string { return apis },
		"site": func(c Config) (string, error) {
			var b bytes.Buffer
			err := t.ExecuteTemplate(&b, "site", c)
			return b.String(), err
		},
	})
	if _, err := t.ParseFS(files, "*.tmpl"); err != nil {
		return "", fmt.Errorf("parse nginx template: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, c); err != nil {
		return "", fmt.Errorf("fill nginx template: %w", err)
	}
	return b.String(), nil
}

// apis are the locations that go to Rebake whatever files there are. They win
// over every location that a site may have beside them.
var apis = []string{"= /api/revalidate", "= /api/revalidate/", "^~ /_rebake/webhooks/"}

type fileType struct{ Extension, Type string }

// fileTypes are those of file-like pages, see storage.Path.FileType.
func fileTypes() []fileType {
	var list []fileType
	for _, ext := range storage.FileExtensions() {
		list = append(list, fileType{strings.TrimPrefix(ext, "."), storage.TypeByName(ext)})
	}
	return list
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
