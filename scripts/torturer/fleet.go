package main

import (
	"context"
	"fmt"
	"time"
)

// fleet is a split site: two apis and two workers on one Redis.
type fleet struct {
	lab     *Lab
	site    *Site
	redis   *Redis
	judge   *Judge
	apis    []*Server
	workers []*Server
}

func newFleet(ctx context.Context, lab *Lab, pages int) (*fleet, error) {
	f := &fleet{lab: lab}
	var err error
	if f.redis, err = lab.NewRedis(ctx, "redis", lab.Path("redis")); err != nil {
		return nil, err
	}
	return f, f.open(ctx, f.redis.URL(), pages)
}

// open starts the processes on a Redis.
func (f *fleet) open(ctx context.Context, redis string, pages int) (err error) {
	source := f.lab.NewSource(pages)
	if f.site, err = f.lab.NewSite(SiteOptions{Source: source, Redis: redis}); err != nil {
		return err
	}
	f.judge = NewJudge(source, f.site.Output)
	for i := range 4 {
		only, list := "api", &f.apis
		if i%2 == 1 {
			only, list = "worker", &f.workers
		}
		v, err := f.site.NewServer(fmt.Sprintf("%s-%d", only, i/2+1), only)
		if err != nil {
			return err
		}
		if err := v.Start(); err != nil {
			return err
		}
		*list = append(*list, v)
		if only == "api" {
			if err := v.Ready(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fleet) all() []*Server { return append(append([]*Server{}, f.apis...), f.workers...) }

// load is senders for both apis.
func (f *fleet) load(senders int, pause time.Duration) Load {
	return Load{Source: f.site.Source, Judge: f.judge, Senders: senders, Pause: pause, Send: toAny(f.apis...)}
}
