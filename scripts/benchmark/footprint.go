package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// moreKeys is how many keys of Redis may be more after the misses than
	// before: queues that were empty until then.
	moreKeys = 10
	// settleTime is how long Redis may take to be as before: a failure is told
	// to visitors for 10 s.
	settleTime = 30 * time.Second
)

// footprint is what a site keeps.
type footprint struct {
	keys, memory int64 // of Redis
	files        int   // in the output
}

func readFootprint(ctx context.Context, rdb *redis.Client, s *rebakeSite) (f footprint, err error) {
	if f.keys, err = rdb.DBSize(ctx).Result(); err != nil {
		return f, err
	}
	info, err := rdb.InfoMap(ctx, "memory").Result()
	if err != nil {
		return f, err
	}
	if f.memory, err = strconv.ParseInt(info["Memory"]["used_memory"], 10, 64); err != nil {
		return f, fmt.Errorf("read used_memory: %w", err)
	}
	err = filepath.WalkDir(filepath.Join(s.dir, "public"), func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			f.files++
		}
		return err
	})
	return f, err
}

// settled waits until as much is kept as before, and no longer than it may take.
func (b *missesBench) settled(ctx context.Context, before footprint) (footprint, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(settleTime); ; {
		f, err := readFootprint(ctx, b.rdb, b.site)
		if err != nil || f.check(before) == nil || time.Now().After(until) {
			return f, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return f, context.Cause(ctx)
		}
	}
}

// check returns an error when more is kept than before.
func (f footprint) check(before footprint) error {
	if f.keys > before.keys+moreKeys {
		return fmt.Errorf("redis has %d keys more than before", f.keys-before.keys)
	}
	if f.files != before.files {
		return fmt.Errorf("the output has %d files, and had %d", f.files, before.files)
	}
	return nil
}

func (f footprint) megabytes() float64 { return float64(f.memory) / (1 << 20) }
