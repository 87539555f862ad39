package renderer

import (
	"slices"

	"rebake/renderer/upstream"
)

// Upstream is a source or an origin that a page is made from.
type Upstream struct {
	Name   string // "source cms", "origin app"
	AtOnce int    // requests that it takes at once
}

// asked is an Upstream together with who knows whether it is down.
type asked struct {
	Upstream
	down func() []upstream.State
}

// asks returns what a render of m asks, each once.
func (m Match) asks() []asked {
	if m.route == nil {
		return nil
	}
	if s := m.route.snapshot; s != nil {
		return []asked{{Upstream{"origin " + s.origin.Name(), s.origin.Config().Concurrency}, s.origin.Down}}
	}
	var list []asked
	for _, f := range m.route.fetches {
		if m.item != nil && f.name == m.route.list.as {
			continue
		}
		u := Upstream{"source " + f.source.Name(), f.source.Concurrency()}
		if !slices.ContainsFunc(list, func(a asked) bool { return a.Upstream == u }) {
			list = append(list, asked{u, f.source.Down})
		}
	}
	return list
}

// Upstreams returns what a render of m asks, each once; nothing for a page
// that is made of its template alone, or of the listed item.
func (m Match) Upstreams() []Upstream {
	var list []Upstream
	for _, a := range m.asks() {
		list = append(list, a.Upstream)
	}
	return list
}

// all returns what the pages of the site are made from, each once.
func (r *Renderer) all() []asked {
	var list []asked
	for _, rt := range r.routes {
		for _, a := range (Match{route: rt}).asks() {
			if !slices.ContainsFunc(list, func(b asked) bool { return a.Upstream == b.Upstream }) {
				list = append(list, a)
			}
		}
	}
	return list
}

// Upstreams returns what the pages of the site are made from, each once.
func (r *Renderer) Upstreams() []Upstream {
	var list []Upstream
	for _, a := range r.all() {
		list = append(list, a.Upstream)
	}
	return list
}

// Outage is a server of an upstream that is down, and left alone for a while.
type Outage struct {
	Upstream string // its name
	upstream.State
}

// Down returns what of that is down now.
func (r *Renderer) Down() []Outage {
	var list []Outage
	for _, a := range r.all() {
		for _, s := range a.down() {
			list = append(list, Outage{a.Name, s})
		}
	}
	return list
}
