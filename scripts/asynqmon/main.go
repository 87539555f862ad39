// Command asynqmon shows asynq's queues and tasks of the site that
// ./rebake.yaml describes, for whoever can reach an address of this machine.
// It changes nothing in them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/api"
	"rebake/daemon/config"
	"rebake/worker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listen := flag.String("listen", "127.0.0.1:8602", "address of the page, on this machine alone")
	file := flag.String("config", "", "config file (default ./rebake.yaml, then /etc/rebake/rebake.yaml)")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, *file, *listen, log); err != nil {
		fmt.Fprintln(os.Stderr, "asynqmon:", err)
		os.Exit(1)
	}
}

// run serves the page until ctx is done.
func run(ctx context.Context, file, listen string, log *slog.Logger) error {
	if err := checkLocal(listen); err != nil {
		return err
	}
	opts, err := redisOptions(file)
	if err != nil {
		return err
	}
	rdb := redis.NewClient(opts)
	l, err := api.Listen(listen, worker.Monitor(rdb), time.Second, log)
	if err != nil {
		return errors.Join(err, rdb.Close())
	}
	log.Info("the queues", "url", "http://"+l.Addr()+"/")
	return errors.Join(l.Run(ctx), rdb.Close())
}

// checkLocal refuses an address that others can reach: nobody is asked for a
// password.
func checkLocal(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("-listen: %w; write it as 127.0.0.1:8602", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && !ip.IsLoopback() {
		return fmt.Errorf("-listen %s: others could read the queues there, without a password; use an address of this machine alone, such as 127.0.0.1:8602", listen)
	}
	return nil
}

// redisOptions say how to reach the Redis that the config names.
func redisOptions(file string) (*redis.Options, error) {
	name, err := config.Find(file)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(name, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	if cfg.Redis == "" || cfg.Redis == "memory" {
		return nil, fmt.Errorf("%s names no Redis that several programs can reach; set `redis:` to its URL", name)
	}
	opts, err := redis.ParseURL(cfg.Redis)
	if err != nil {
		return nil, fmt.Errorf("%s: redis: the URL cannot be read", name) // its text may hold a password
	}
	opts.ContextTimeoutEnabled = true
	return opts, nil
}
