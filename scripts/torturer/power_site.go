package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"time"
)

// powerOptions say how a site is built whose power is cut.
type powerOptions struct {
	// Apart has the queue's Redis on a disk of its own, that loses its power in
	// the same moment. On one disk, an fsync of Redis brings the renames to the
	// disk, too, whether or not Rebake has asked for it.
	Apart bool
	// RedisArgs are for that Redis, and come after the torturer's own.
	RedisArgs []string
	// Extra is more of rebake.yaml.
	Extra string
	// Before is called with the server before each round.
	Before func(ctx context.Context, p *powerSite) error
	// Unpacked leaves the .gz out: its own fsync, which comes after the rename
	// of the page, brings that to the disk, too.
	Unpacked bool
	// Quiet has every cut come while nothing is on its way, and lets Rebake
	// recover before the next.
	Quiet bool
}

const (
	powerPages  = 240 // published from the beginning
	powerUnborn = 160 // published in the rounds, so that first publishes are cut, too
)

// powerSite is a site on disks whose power is cut.
type powerSite struct {
	powerOptions
	lab    *Lab
	source *Source
	judge  *Judge
	load   Load
	disks  []*Disk
	redis  *Redis // when it is apart
	server *Server
	stop   func() // of the readers

	next     int // page to be triggered next
	unborn   int // page to be published for the first time next
	cuts     int
	recovery time.Duration
	reverted int // pages that were finished, and older after the cut
	lost     int // pages that did not get what was acknowledged
	notes    []string

	mu       sync.Mutex
	finished map[string]int // guarded by mu; the newest version that was answered as published
}

func newPowerSite(ctx context.Context, lab *Lab, kind string, o powerOptions) (*powerSite, error) {
	p := &powerSite{powerOptions: o, lab: lab, finished: make(map[string]int), unborn: powerPages}
	d, err := lab.NewDisk(ctx, kind, "disk")
	if err != nil {
		return nil, err
	}
	p.disks = append(p.disks, d)
	p.source = lab.NewSource(powerPages + powerUnborn)
	settings := SiteOptions{Source: p.source, Output: filepath.Join(d.At, "public"), State: filepath.Join(d.At, "state"), Extra: o.Extra}
	if o.Unpacked {
		settings.Extra += "\ncompress: []\n"
	}
	if o.Apart {
		d, err := lab.NewDisk(ctx, kind, "disk-of-redis")
		if err != nil {
			return nil, err
		}
		p.disks = append(p.disks, d)
		if p.redis, err = lab.NewRedis(ctx, "redis", filepath.Join(d.At, "redis"), o.RedisArgs...); err != nil {
			return nil, err
		}
		settings.Redis = p.redis.URL()
	}
	site, err := lab.NewSite(settings)
	if err != nil {
		return nil, err
	}
	p.judge = NewJudge(p.source, settings.Output)
	if p.server, err = site.Serve(ctx); err != nil {
		return nil, err
	}
	p.load = Load{Source: p.source, Judge: p.judge, Senders: 16, Send: func(ctx context.Context, path string) error {
		return p.server.Revalidate(ctx, url.Values{"path": {path}})
	}}
	all := p.source.Paths()[:powerPages]
	lab.Say("publishing %d pages on %s", len(all), kind)
	p.each(ctx, all, p.load.One)
	_, wrong, err := p.judge.Pay(ctx, p.judge.Debt(), time.Now(), time.Minute)
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("publish the site at first: %s", wrong[0])
	}
	p.stop = p.judge.Watch(ctx)
	return p, err
}

// each does something about pages, in many goroutines.
func (p *powerSite) each(ctx context.Context, paths []string, do func(context.Context, string) bool) {
	queue := make(chan string)
	var senders sync.WaitGroup
	for range p.load.Senders {
		senders.Go(func() {
			for path := range queue {
				do(ctx, path)
			}
		})
	}
	for _, path := range paths {
		if ctx.Err() != nil {
			break
		}
		queue <- path
	}
	close(queue)
	senders.Wait()
}

// publish sends a trigger and waits until Rebake says that the page is
// published: from then on it survives.
func (p *powerSite) publish(ctx context.Context, path string) bool {
	version := p.source.Bump(path)
	if p.server.Revalidate(context.WithoutCancel(ctx), url.Values{"path": {path}, "wait": {"8s"}}) != nil {
		return false
	}
	p.judge.Acknowledged(map[string]int{path: version})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished[path] = max(p.finished[path], version)
	return true
}

// turn returns the next pages, so that none comes again soon: a second trigger
// would make good what the first has lost.
func (p *powerSite) turn(n int) (list []string) {
	paths := p.source.Paths()
	for range n {
		list = append(list, paths[p.next%p.unborn])
		p.next++
	}
	return list
}

// born returns pages that were never published.
func (p *powerSite) born(n int) (list []string) {
	paths := p.source.Paths()
	for ; n > 0 && p.unborn < len(paths); n-- {
		list = append(list, paths[p.unborn])
		p.unborn++
	}
	return list
}
