package setup

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"rebake/daemon/config"
	"rebake/renderer/origin"
)

// Names of the files, below the folder of a site.
const (
	ConfigFile  = "rebake.yaml"
	SecretFile  = "rebake.secret"
	WebhookFile = "webhook.secret" // for Rebake's plugin in WordPress
	NginxFile   = "rebake-nginx.conf"
	ServiceFile = "rebake.service"
)

// Plan is a site with what its files say besides about this machine.
type Plan struct {
	Site *Site
	// Dir is the absolute path of the folder that the files go into.
	Dir string
	// Build is the .next folder of a site of Next.js, "" for none that is known.
	Build string
	// Listen and Admin are Rebake's addresses, both "" for the usual ones.
	Listen, Admin string
	// Program is the absolute path of Rebake, for systemd.
	Program string
	// User is who it runs as there.
	User string
}

// File is one to be written.
type File struct {
	Name string // below the folder, with slashes
	Mode fs.FileMode
	Body []byte
}

//go:embed files
var files embed.FS

// Files returns the config, new secrets, the unit, and for a headless site the
// templates. They are complete, but for what nginx needs, which only the
// loaded config can say.
func (p Plan) Files() ([]File, error) {
	name := "snapshot.yaml.tmpl"
	if p.Site.Headless != nil {
		name = "headless.yaml.tmpl"
	}
	conf, err := p.fill(name)
	if err != nil {
		return nil, err
	}
	unit, err := p.fill("rebake.service.tmpl")
	if err != nil {
		return nil, err
	}
	list := []File{
		{ConfigFile, 0o644, conf}, {SecretFile, 0o600, newSecret()}, {ServiceFile, 0o644, unit},
	}
	if p.Site.Kind == origin.WordPress {
		list = append(list, File{WebhookFile, 0o600, newSecret()})
	}
	if p.Site.Headless == nil {
		return list, nil
	}
	templates, err := p.templates()
	return append(list, templates...), err
}

func newSecret() []byte { return []byte(rand.Text() + rand.Text() + "\n") }

// IsSecret reports whether the file holds a secret.
func (f File) IsSecret() bool { return isSecret(f.Name) }

func isSecret(name string) bool { return name == SecretFile || name == WebhookFile }

// fill runs one of the texts over the plan.
func (p Plan) fill(name string) ([]byte, error) {
	t, err := template.New(name).Funcs(template.FuncMap{
		"word": word, "quote": quote, "line": line, "arg": argument, "setting": setting,
	}).ParseFS(files, "files/"+name, "files/addresses.yaml.tmpl")
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("fill %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// Host is the site's host, by which people call it.
func (p Plan) Host() string {
	u, err := url.Parse(p.Site.URL)
	if err != nil {
		return p.Site.URL
	}
	return u.Host
}

// Config is the path of the config file.
func (p Plan) Config() string { return filepath.Join(p.Dir, ConfigFile) }

// Unit is the name of the site's unit. A server may have many sites.
func (p Plan) Unit() string {
	return "rebake-" + strings.Trim(notInUnit.ReplaceAllString(p.Host(), "-"), "-")
}

// notInUnit is what would have to be escaped in the name of a unit.
var notInUnit = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// Webhook is the name of WordPress' webhook in the config, "" for another site.
func (p Plan) Webhook() string {
	switch {
	case p.Site.Kind != origin.WordPress:
		return ""
	case p.Site.Headless != nil:
		return "cms"
	}
	return p.Origin()
}

// Origin is the name of the origin in the config.
func (p Plan) Origin() string {
	if p.Site.Kind == origin.WordPress {
		return "wordpress"
	}
	return "app"
}

// BypassCookies are the default ones, which a list in the config replaces.
func (p Plan) BypassCookies() []string { return config.Default().BypassCookies }

// InHome reports whether the site or the program lies where systemd's
// ProtectHome would hide it.
func (p Plan) InHome() bool {
	for _, name := range []string{p.Dir, p.Program, p.Build} {
		for _, home := range []string{"/home/", "/root/", "/run/user/"} {
			if strings.HasPrefix(name+"/", home) {
				return true
			}
		}
	}
	return false
}

// Unseen tells of a folder that the unit does not see, since its /tmp and
// /var/tmp are its own.
func (p Plan) Unseen() []string {
	for _, name := range []string{p.Dir, p.Program, p.Build} {
		for _, tmp := range []string{"/tmp/", "/var/tmp/"} {
			if strings.HasPrefix(name+"/", tmp) {
				return []string{fmt.Sprintf("the unit does not see %s, since %s says PrivateTmp=yes: take a folder such as /srv, or delete that line", name, ServiceFile)}
			}
		}
	}
	return nil
}

// PostGet is what a post is asked for by.
func (p Plan) PostGet() string {
	if strings.Contains(p.Site.Headless.Post, "{slug}") {
		return "/posts?slug={slug}&_embed"
	}
	return "/posts/{id}?_embed"
}

// LinkPath is the expression for the path of an item, out of its link.
func (p Plan) LinkPath() string { return "/{" + pathOf("link") + "}" }

// PagePath is the same where the items are pages, out of their field with the
// link. The page that is the home page is that route's.
func (p Plan) PagePath(field string) string {
	if front := p.Site.Headless.Front; front != 0 {
		return fmt.Sprintf("{id == %d ? nil : '/' + %s}", front, pathOf(field))
	}
	return "/{" + pathOf(field) + "}"
}

func pathOf(field string) string { return fmt.Sprintf("join(split(%s, '/')[3:], '/')", field) }

// templates are those of a headless site. What they say of the site is filled
// in between [[ and ]].
func (p Plan) templates() ([]File, error) {
	var list []File
	const root = "files/templates"
	err := fs.WalkDir(files, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !p.wants(strings.TrimPrefix(name, root+"/")) {
			return err
		}
		t, err := template.New(path.Base(name)).Delims("[[", "]]").Funcs(template.FuncMap{"text": text}).ParseFS(files, name)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, p.Site); err != nil {
			return fmt.Errorf("fill %s: %w", name, err)
		}
		list = append(list, File{"templates" + strings.TrimPrefix(name, root), 0o644, b.Bytes()})
		return nil
	})
	return list, err
}

// wants reports whether the site has pages of a template.
func (p Plan) wants(name string) bool {
	together := p.Site.Headless.Post == ""
	switch name {
	case "post.html", "page.html":
		return !together
	case "entry.html":
		return together
	case "category.html":
		return p.Site.Headless.Category != ""
	}
	return true
}
