package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// secret opens /api/revalidate of every site.
const secret = "the-secret-of-the-torturer"

// Site is a site of Rebake that is made of a Source: its config, its templates
// and its directories. Any number of servers run it.
type Site struct {
	SiteOptions
	lab *Lab
}

// SiteOptions are a site's settings. Those left empty get a default.
type SiteOptions struct {
	Source *Source
	Dir    string // of config and templates; default the lab's
	Output string // default Dir/public
	State  string // default Dir/state; on one file system with Output
	Redis  string // a URL; "" is Rebake's own redis-server below State
	Routes string // more of rebake.yaml's routes, before the one for all pages
	Extra  string // more of rebake.yaml
}

// NewSite writes the files of a site. Nothing runs yet.
func (l *Lab) NewSite(o SiteOptions) (*Site, error) {
	if o.Dir == "" {
		o.Dir = l.Dir
	}
	if o.Output == "" {
		o.Output = filepath.Join(o.Dir, "public")
	}
	if o.State == "" {
		o.State = filepath.Join(o.Dir, "state")
	}
	s := &Site{SiteOptions: o, lab: l}
	return s, Write(filepath.Join(o.Dir, "templates"), map[string]string{"page.html": pageTemplate})
}

// config is the text of rebake.yaml. Every process has its own, with its own
// addresses; all else is the same.
func (s *Site) config(listen, admin string) string {
	return fmt.Sprintf(`
site: https://www.example.com
output: %q
state: %q
redis: %q
listen: %s
admin: %s
secret: %s
templates: %q
sources:
  cms: {url: %q, concurrency: 32}
routes:
%s
%s
%s
`, s.Output, s.State, s.Redis, listen, admin, secret, filepath.Join(s.Dir, "templates"), s.Source.URL, s.Routes, Route("{section}"), s.Extra)
}

// Route is a route for the pages of a section; "{section}" is all of them. More
// lines give it more keys.
func Route(section string, more ...string) string {
	lines := append([]string{
		"  - path: /" + section + "/{slug}",
		"template: page.html",
		`data: {item: {source: cms, get: "/items?path=/` + section + `/{slug}", one: true}}`,
		`tags: ["group:{item.group}"]`,
		"canonical: none",
	}, more...)
	return strings.Join(lines, "\n    ")
}

// Server is one process of a site, that can be ended and started again.
type Server struct {
	*Process // of the last start
	Listen   string
	Admin    string

	site *Site
	name string
	args []string
}

// NewServer writes the config of a process; only is "api", "worker", or "" for
// both. Start starts it.
func (s *Site) NewServer(name, only string) (*Server, error) {
	v := &Server{site: s, name: name}
	for _, addr := range []*string{&v.Listen, &v.Admin} {
		var err error
		if *addr, err = FreeAddr(); err != nil {
			return nil, err
		}
	}
	config := name + ".yaml"
	v.args = []string{"serve", "--config", filepath.Join(s.Dir, config)}
	if only != "" {
		v.args = append(v.args, "--only", only)
	}
	return v, Write(s.Dir, map[string]string{config: s.config(v.Listen, v.Admin)})
}

// Start starts the process. It does not wait until it is ready.
func (v *Server) Start() (err error) {
	v.Process, err = v.site.lab.Start(v.name, v.Command())
	return err
}

// Command is what Start runs, for whoever wants to run it in another way.
func (v *Server) Command() *exec.Cmd { return exec.Command(v.site.lab.Program, v.args...) }

// Ready waits until the process answers. A worker has no address to ask.
func (v *Server) Ready(ctx context.Context) error {
	return v.Await(ctx, 20*time.Second, func() bool {
		res, err := client.Get("http://" + v.Admin + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// Serve starts a server that is a whole Rebake, and waits until it is ready.
func (s *Site) Serve(ctx context.Context) (*Server, error) {
	v, err := s.NewServer("rebake", "")
	if err != nil {
		return nil, err
	}
	if err := v.Start(); err != nil {
		return nil, err
	}
	return v, v.Ready(ctx)
}

// client waits longer than senders do: an answer that comes late is an answer.
var client = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64},
}

// Revalidate sends a trigger as a CMS does, and returns nil when it was
// answered with 200: from then on it must not be lost. There is no second look
// after it, which would make good what was lost. The query says which pages:
// "path=/a", "tag=t", "prefix=/s".
func (v *Server) Revalidate(ctx context.Context, query url.Values) error {
	query.Set("recheck", "0")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+v.Listen+"/api/revalidate?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	return send(req, http.StatusOK)
}

// Trigger sends a trigger as the commands do: with any of the fields of POST
// /v1/triggers.
func (v *Server) Trigger(ctx context.Context, fields map[string]any) error {
	token, err := os.ReadFile(filepath.Join(v.site.State, "admin-token"))
	if err != nil {
		return err
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+v.Admin+"/v1/triggers", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	req.Header.Set("Content-Type", "application/json")
	return send(req, http.StatusAccepted)
}

// Visit asks for a page as nginx does when there is no file.
func (v *Server) Visit(ctx context.Context, path string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.Listen+path, nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

func send(req *http.Request, want int) error {
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != want {
		err = fmt.Errorf("%s: %s", res.Status, strings.TrimSpace(string(text)))
	}
	return err
}
