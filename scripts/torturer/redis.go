package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is a redis-server of the torturer's own, which keeps what it has
// acknowledged: append-only, with an fsync each time.
type Redis struct {
	*Process // of the last start
	Addr     string

	lab  *Lab
	name string
	args []string
}

// NewRedis starts a redis-server with its files in dir, on a port of its own.
// More arguments come after the torturer's own, and win.
func (l *Lab) NewRedis(ctx context.Context, name, dir string, args ...string) (*Redis, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	host, port := hostPort(addr)
	r := &Redis{Addr: addr, lab: l, name: name, args: append([]string{
		"--port", port, "--bind", host, "--dir", dir, "--daemonize", "no", "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no",
		"--maxmemory-policy", "noeviction", "--loglevel", "notice",
	}, args...)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return r, r.Start(ctx)
}

// URL is what `redis:` names.
func (r *Redis) URL() string { return "redis://" + r.Addr + "/0" }

// Start starts it, again, and returns when it answers.
func (r *Redis) Start(ctx context.Context) error {
	program, err := needProgram("redis-server")
	if err != nil {
		return err
	}
	if r.Process, err = r.lab.Start(r.name, exec.Command(program, r.args...)); err != nil {
		return err
	}
	return r.Await(ctx, 30*time.Second, func() bool { return r.listens() && r.Do(ctx, "PING") == nil })
}

// listens is asked before the client is, which logs each try.
func (r *Redis) listens() bool {
	c, err := net.DialTimeout("tcp", r.Addr, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// Do sends one command on a connection of its own.
func (r *Redis) Do(ctx context.Context, args ...any) error {
	c := redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ContextTimeoutEnabled: true})
	defer c.Close()
	return c.Do(ctx, args...).Err()
}

// hostPort takes an address of FreeAddr apart.
func hostPort(addr string) (host, port string) {
	host, port, _ = net.SplitHostPort(addr)
	return host, port
}
