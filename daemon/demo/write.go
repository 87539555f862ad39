package demo

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"rebake/storage"
)

//go:embed site
var site embed.FS

// Params are what the demo's rebake.yaml says about this run. An empty Output,
// State or Redis takes the default named at it.
type Params struct {
	Site   string         // public URL of the site, without a slash at the end
	CMS    string         // URL of the CMS' server, without a slash at the end
	Secret storage.Secret // opens /api/revalidate
	Listen string         // address for revalidate and misses
	Admin  string         // address of the dashboard
	Output string         // directory of the public files; "./public"
	State  string         // private directory of Rebake; "./.rebake"
	Redis  string         // "memory"
}

// Write puts rebake.yaml and the templates into dir, which it makes when it is
// missing. It overwrites nothing: errors are fs.ErrExist when a file is there.
func Write(dir string, p Params) error {
	p.Output = cmp.Or(p.Output, "./public")
	p.State = cmp.Or(p.State, "./.rebake")
	p.Redis = cmp.Or(p.Redis, "memory")
	templates, err := fs.Sub(site, "site/templates")
	if err != nil {
		return fmt.Errorf("find templates: %w", err)
	}
	if err := os.CopyFS(filepath.Join(dir, "templates"), templates); err != nil {
		return fmt.Errorf("write templates: %w", err)
	}
	return writeConfig(filepath.Join(dir, "rebake.yaml"), p)
}

func writeConfig(name string, p Params) (err error) {
	config, err := template.New("rebake.yaml.tmpl").
		Funcs(template.FuncMap{"quote": quote}).ParseFS(site, "site/rebake.yaml.tmpl")
	if err != nil {
		return fmt.Errorf("parse config: %w", err)
	}
	// It holds the secret, so it is the owner's alone.
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create config: %w", err)
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	if err := config.Execute(f, p); err != nil {
		return fmt.Errorf("write config: %w", err)
	}
	return nil
}

// quote writes a value as a YAML string, since JSON's strings are YAML's too.
// A ${ in it is no environment variable.
func quote(v any) (string, error) {
	s := fmt.Sprint(v)
	if secret, ok := v.(storage.Secret); ok {
		s = secret.Reveal()
	}
	b, err := json.Marshal(strings.ReplaceAll(s, "${", "$${"))
	return string(b), err
}
