package worker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

func TestWorker_FailureWithoutHopeWaitsForATrigger(t *testing.T) {
	for name, c := range map[string]struct {
		render renderFunc
		status string // of the page's last try
	}{
		"permanent": {func(context.Context, int, string) (string, error) {
			return "", errors.New("template: no such field")
		}, "no such field"},
		"refused by a gate": {func(context.Context, int, string) (string, error) {
			return strings.Repeat("long", 1<<20), nil
		}, "too_large"},
		"panic": {func(context.Context, int, string) (string, error) { panic("index out of range") }, "index out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			p.publish("/a", "old")
			s.on("/a", c.render)
			p.trigger(ledger.Critical, "/a")
			p.await("/a", ledger.PageFailed)
			s.wantServed("/a", "old")
			if got := p.state("/a").Owed.Error; !strings.Contains(got, c.status) {
				t.Errorf("reason = %q, want %q in it", got, c.status)
			}
			s.on("/a", nil)
			s.set("/a", "new")
			p.byItself()
			p.trigger(ledger.Critical, "/a")
			p.wantNoneWaits("critical")
			p.await("/a", ledger.PageFresh)
			s.wantServed("/a", "new")
		})
	}
}

// wantNoneWaits wants that no task of a queue is there for later.
func (p *process) wantNoneWaits(queue string) {
	p.site.t.Helper()
	tasks, err := p.site.inspector().ListScheduledTasks(queue)
	if err != nil || len(tasks) > 0 {
		p.site.t.Errorf("%d tasks wait for their time, %v; want none: a trigger is followed at once", len(tasks), err)
	}
}

// H78
func TestWorker_PanicLeavesOtherPagesAlone(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.on("/a", func(context.Context, int, string) (string, error) { panic("oven on fire") })
	p.trigger(ledger.Critical, "/a", "/b")
	p.await("/a", ledger.PageFailed)
	p.await("/b", ledger.PageFresh)
}

func TestWorker_TemporaryFailureComesAgainByItself(t *testing.T) {
	for name, ran := range map[string]bool{"accepted here": true, "accepted elsewhere": false} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			accepts := s.running()
			if !ran {
				accepts = s.process()
			}
			const after = 1500 * time.Millisecond
			var failed, second time.Time
			s.on("/a", func(_ context.Context, n int, text string) (string, error) {
				if n == 1 {
					failed = time.Now()
					return "", &storage.TemporaryError{Err: errors.New("status 503"), After: after}
				}
				second = time.Now()
				return text, nil
			})
			accepts.trigger(ledger.Critical, "/a")
			if !ran {
				s.running()
			}
			accepts.await("/a", ledger.PageFresh)
			s.wantRenders("/a", 2)
			if gap := second.Sub(failed); gap < after {
				t.Errorf("the second try came after %v, and the source had asked for %v", gap, after)
			}
		})
	}
}

func TestWorker_PatienceThatASourceAsksFor(t *testing.T) {
	for name, c := range map[string]struct{ asked, want time.Duration }{
		"as it says":         {90 * time.Second, 90 * time.Second},
		"five minutes, most": {time.Hour, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.on("/a", func(context.Context, int, string) (string, error) {
				return "", &storage.TemporaryError{Err: errors.New("status 429"), After: c.asked}
			})
			p.trigger(ledger.Critical, "/a")
			p.await("/a", ledger.PageRetrying)
			owed := p.state("/a").Owed
			if got := owed.Due.Sub(owed.LastTry); got != c.want {
				t.Errorf("the next try is due %v after the first, want %v", got, c.want)
			}
		})
	}
}

func TestWorker_RenderOverItsTimeIsTriedAgain(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Render = 100 * time.Millisecond })
	first := s.block(t, "/a")
	p.trigger(ledger.Critical, "/a")
	<-first.started
	p.await("/a", ledger.PageRetrying)
	if got := p.state("/a").Owed.Error; !strings.Contains(got, "not done within 100ms") {
		t.Errorf("reason = %q, want that it took too long", got)
	}
	p.await("/a", ledger.PageFresh)
}

func TestWorker_RouteThatIsGoneFailsThePage(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	tok := p.token("/unknown", ledger.Critical)
	p.wake(t.Context(), &tok)
	p.await("/unknown", ledger.PageFailed)
}

func TestWorker_UnmatchedPathIsOwedNothing(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	a, err := p.Accept(t.Context(), Trigger{Paths: onePath("/unknown")})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Unmatched) != 1 || len(a.Pages) != 0 || p.state("/unknown").Owed != nil {
		t.Errorf("accepted %+v, want one unmatched path and nothing owed", a)
	}
}
