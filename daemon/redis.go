package daemon

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"rebake/daemon/config"
	"rebake/daemon/embedded"
	"rebake/storage"
)

// queue is the Redis that a process works with, and how it is run when it is
// our own.
type queue struct {
	client *redis.Client
	// run keeps our own Redis alive until its context is done; nil when the
	// Redis is somebody else's.
	run   func(ctx context.Context, ready func()) error
	close func() error
	// forgets says that the ledger is empty at each start.
	forgets bool
	// trusted says that it was started with our own settings.
	trusted bool
}

// openQueue takes the Redis that the config names. With beside it uses our own
// Redis of a rebake that is running, when there is one.
func openQueue(ctx context.Context, cfg *config.Config, beside bool, log *slog.Logger) (*queue, error) {
	switch cfg.Redis {
	case "":
		dir := filepath.Join(cfg.State, "redis")
		if beside {
			if opts, release, ok := embedded.Attach(ctx, dir); ok {
				c := redis.NewClient(opts)
				return &queue{client: c, close: func() error { return errors.Join(c.Close(), release()) }, trusted: true}, nil
			}
		}
		s, err := embedded.Open(dir, log)
		if err != nil {
			return nil, err
		}
		c := redis.NewClient(s.Options())
		return &queue{client: c, run: s.Run, close: func() error { return errors.Join(c.Close(), s.Close()) }}, nil
	case "memory":
		return memoryQueue()
	}
	opts, err := redis.ParseURL(cfg.Redis)
	if err != nil {
		return nil, errors.New("redis: the URL cannot be read") // its text may hold a password
	}
	opts.ContextTimeoutEnabled = true
	opts.ReadTimeout = cmp.Or(opts.ReadTimeout, embedded.ReadTimeout)
	c := redis.NewClient(opts)
	return &queue{client: c, close: c.Close}, nil
}

// memoryQueue is a Redis in this process. It forgets everything at the end. It
// listens on loopback, with a password that nobody else knows: a pipe, which
// holds nothing, would block for ever when more is written at once than is read
// before the first answer.
func memoryQueue() (*queue, error) {
	m := miniredis.NewMiniRedis()
	m.ClockTTL(true)
	password := rand.Text()
	m.RequireAuth(password)
	if err := m.Start(); err != nil {
		return nil, fmt.Errorf("start redis in memory: %w", err)
	}
	c := redis.NewClient(&redis.Options{Addr: m.Addr(), Password: password, Protocol: 2, ContextTimeoutEnabled: true})
	return &queue{client: c, forgets: true, close: func() error {
		err := c.Close()
		m.Close()
		return err
	}}, nil
}

// checkDurability refuses a Redis that could lose or evict what it has
// acknowledged. A Redis that does not let itself be asked is refused too; one
// that is away is a *storage.TemporaryError.
func checkDurability(ctx context.Context, c *redis.Client) error {
	want := map[string]string{"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
	var problems []string
	for _, name := range []string{"appendonly", "appendfsync", "maxmemory-policy"} {
		got, err := c.ConfigGet(ctx, name).Result()
		if err != nil && !refusesQuestion(err) {
			return storage.Temporary(fmt.Errorf("ask redis for its settings: %w", err))
		}
		if err != nil {
			return fmt.Errorf("redis: ask for its settings: %w; allow CONFIG GET, or accept what may be lost with `durability: relaxed`", err)
		}
		if got[name] != want[name] {
			problems = append(problems, fmt.Sprintf("%s is %q and has to be %q", name, got[name], want[name]))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("redis: it could lose accepted triggers: %s; change redis.conf, or accept it with `durability: relaxed`", strings.Join(problems, ", "))
}

// refusesQuestion reports that Redis answers, and lets nobody ask this.
func refusesQuestion(err error) bool {
	answered := redis.Error(nil)
	return errors.As(err, &answered) &&
		(strings.HasPrefix(answered.Error(), "NOPERM") || strings.HasPrefix(answered.Error(), "ERR unknown command"))
}

// awaitRedis waits until the Redis answers: it may be starting.
func awaitRedis(ctx context.Context, c *redis.Client, atMost time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	for {
		err := c.Ping(ctx).Err()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("redis does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
