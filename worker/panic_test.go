package worker

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// H78: a panic is the failure of its page, however the page came to its render.
func TestWorker_H78_PanicInEachWayToARender(t *testing.T) {
	burn := func(context.Context, int, string) (string, error) { panic("oven on fire") }
	for name, way := range map[string]func(p *process){
		"a trigger that is taken at once": func(p *process) { p.trigger(ledger.Critical, "/a") },
		"a trigger of another process":    func(p *process) { p.site.process().trigger(ledger.Critical, "/a") },
		"a walk": func(p *process) {
			p.accept(Trigger{Labels: []ledger.Label{ledger.Site}, Priority: ledger.Low})
		},
		"a build": func(p *process) {
			report, err := p.Build(p.site.t.Context(), Build{Fixed: []storage.Path{mustPath("/a"), mustPath("/b")}})
			if err != nil || len(report.Failed) != 1 {
				p.site.t.Errorf("build = %+v, %v; want one page that failed", report, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			p.publish("/a", "text")
			s.on("/a", burn)
			way(p)
			p.await("/a", ledger.PageFailed)
			if reason := p.state("/a").Owed.Error; !strings.Contains(reason, "panicked: oven on fire") {
				t.Errorf("the reason is %q, want the panic", reason)
			}
			s.wantServed("/a", "text")
			p.publish("/b", "text")
		})
	}
}

// H78
func TestWorker_H78_PanicForAVisitor(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.listen()
	s.on("/a", func(context.Context, int, string) (string, error) { panic("oven on fire") })
	if err := p.visit("/a"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("visit = %v, want ErrUnavailable", err)
	}
	p.publish("/b", "text")
}

// H78: what is neither a render nor a publish.
func TestSweep_H78_PanicOfAPartIsNotTheEnd(t *testing.T) {
	s := newWebsite(t)
	p := s.process(quick)
	p.Processes = &burningProcesses{}
	p.run()
	p.token("/a", ledger.Low) // nobody is woken but by the sweeper
	p.await("/a", ledger.PageFresh)
}

// burningProcesses panics the first time that it is asked.
type burningProcesses struct{ asked int }

func (b *burningProcesses) Dead() ([]string, error) {
	if b.asked++; b.asked == 1 {
		panic("oven on fire")
	}
	return nil, nil
}

func (b *burningProcesses) Bury(string) error { return nil }

// H78: routes are asked in goroutines of their own.
func TestWalk_H78_PanicOfARoute(t *testing.T) {
	s := newWebsite(t)
	r := &burningRoutes{fakeRenderer: s.fakeRenderer}
	p := s.process(quick)
	p.Renderer = r
	p.run()
	p.publish("/a", "old")
	s.set("/a", "new")
	r.burn.Store(1)
	p.accept(Trigger{Labels: []ledger.Label{ledger.Site}, Priority: ledger.Low})
	p.await("/a", ledger.PageFresh)
	s.await("the new text is served", func() bool { return s.served("/a") == html("new") })
	if r.burn.Load() > 0 {
		t.Error("nothing panicked")
	}
}

// burningRoutes panics for so many matches.
type burningRoutes struct {
	*fakeRenderer
	burn atomic.Int64
}

func (b *burningRoutes) Match(p storage.Path) (renderer.Match, bool) {
	if b.burn.Add(-1) >= 0 {
		panic("oven on fire")
	}
	return b.fakeRenderer.Match(p)
}
