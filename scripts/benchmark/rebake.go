package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// secret opens /api/revalidate of every system.
const secret = "the-secret-of-the-benchmark"

// rebakeSite is the site of writeSite, served as in production: `rebake serve`
// with a redis-server of its own (fsync always), and nginx with the include
// that `rebake nginx` prints.
type rebakeSite struct {
	dir     string
	program string
	listen  string
	admin   string
	public  string // address of nginx
	server  *process
	nginx   *process
	builds  int // MB, the largest peak of a `rebake build`
}

func newRebakeSite(dir, program, source string) (*rebakeSite, error) {
	s := &rebakeSite{dir: dir, program: program}
	for _, addr := range []*string{&s.listen, &s.admin, &s.public} {
		var err error
		if *addr, err = freeAddr(); err != nil {
			return nil, err
		}
	}
	if err := writeSite(dir, source); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(s.config(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "listen: %s\nadmin: %s\nlog: {level: warn}\n", s.listen, s.admin)
	return s, err
}

func (s *rebakeSite) config() string { return filepath.Join(s.dir, "rebake.yaml") }

func (s *rebakeSite) command(args ...string) *exec.Cmd {
	return exec.Command(s.program, append(args, "--config", s.config())...)
}

// build runs `rebake build`, beside a server if one runs, and returns how long
// the whole command took.
func (s *rebakeSite) build(ctx context.Context) (time.Duration, error) {
	cmd := s.command("build", "--json")
	started := time.Now()
	_, err := runCommand(ctx, cmd)
	took := time.Since(started)
	if err == nil {
		s.builds = max(s.builds, peakMB(cmd))
	}
	return took, err
}

// start starts rebake, and returns when it answers.
func (s *rebakeSite) start(ctx context.Context) (err error) {
	if s.server, err = start("rebake serve", s.command("serve")); err != nil {
		return err
	}
	return s.server.await(ctx, func() bool { return answers("http://" + s.admin + "/readyz") })
}

// serve starts rebake and nginx, and returns when both answer.
func (s *rebakeSite) serve(ctx context.Context) (err error) {
	if err := s.start(ctx); err != nil {
		return err
	}
	include, err := runCommand(ctx, s.command("nginx"))
	if err != nil {
		return err
	}
	dir := filepath.Join(s.dir, "nginx")
	if err := writeFiles(dir, map[string]string{"rebake.conf": string(include), "nginx.conf": s.nginxConf()}); err != nil {
		return err
	}
	program, err := findNginx()
	if err != nil {
		return err
	}
	if s.nginx, err = start("nginx", exec.Command(program, "-p", dir, "-c", "nginx.conf", "-e", "error.log")); err != nil {
		return err
	}
	return s.nginx.await(ctx, func() bool { return answers("http://" + s.public + pathOf(1)) })
}

// nginxConf is what surrounds the include: an nginx of its own, in a directory
// of its own.
func (s *rebakeSite) nginxConf() string {
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // temporary directories are for their owner alone
	}
	return user + `
daemon off;
pid nginx.pid;
worker_processes 2;
events { worker_connections 512; }
http {
	access_log access.log;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	server {
		listen ` + s.public + `;
		include rebake.conf;
	}
}
`
}

// findNginx looks beyond PATH: daemons live in sbin, which is not in every
// user's.
func findNginx() (string, error) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"} {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("nginx is not installed: apt-get install nginx, or run scripts/test")
}

func (s *rebakeSite) stop() {
	if s.nginx != nil {
		s.nginx.stop()
	}
	if s.server != nil {
		s.server.stop()
	}
}

// system is how the measurements reach Rebake: triggers go to it as nginx
// passes them on, pages are nginx's.
func (s *rebakeSite) system() *system {
	return &system{name: "Rebake", public: "http://" + s.public, api: "http://" + s.public}
}

// memory is the peak of all that runs: rebake with its redis-server, nginx, and
// the largest of the builds beside them.
func (s *rebakeSite) memory() (m memory, err error) {
	if err := m.addTree(s.server.cmd.Process.Pid); err != nil {
		return m, err
	}
	m.add("rebake build", s.builds)
	return m, m.addTree(s.nginx.cmd.Process.Pid)
}
