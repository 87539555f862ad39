package main

import "context"

// rig is the usual site: one whole Rebake, with a source and a judge.
type rig struct {
	site   *Site
	server *Server
	source *Source
	judge  *Judge
	load   Load
}

// newRig starts it on a Redis; nil is a redis-server of Rebake's own.
func (l *Lab) newRig(ctx context.Context, pages int, redis *Redis, o SiteOptions) (*rig, error) {
	o.Source = l.NewSource(pages)
	if redis != nil {
		o.Redis = redis.URL()
	}
	site, err := l.NewSite(o)
	if err != nil {
		return nil, err
	}
	server, err := site.Serve(ctx)
	if err != nil {
		return nil, err
	}
	r := &rig{site: site, server: server, source: o.Source, judge: NewJudge(o.Source, site.Output)}
	r.load = Load{Source: r.source, Judge: r.judge, Senders: 8, Send: toAny(server)}
	return r, nil
}
