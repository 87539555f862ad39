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

// wait waits for a page; nobody passes events on, so it has to read.
func (p *process) wait(page AcceptedPage, atMost time.Duration) error {
	ctx, cancel := context.WithTimeout(p.site.t.Context(), atMost)
	defer cancel()
	return p.Wait(ctx, page)
}

func TestWait_Published(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/a", "new")
	page := p.trigger(ledger.Critical, "/a")[0]
	if err := p.wait(page, patient); err != nil {
		t.Fatal(err)
	}
	s.wantServed("/a", "new")
}

func TestWait_HearsOfIt(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.listen()
	p.publish("/warm", "up")
	first := s.block(t, "/a")
	page := p.trigger(ledger.Critical, "/a")[0]
	<-first.started
	first.release()
	if err := p.wait(page, patient); err != nil {
		t.Error(err)
	}
}

func TestWait_FreshAlready(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	page := p.trigger(ledger.Critical, "/a")[0]
	p.await("/a", ledger.PageFresh)
	if err := p.wait(page, patient); err != nil {
		t.Error(err)
	}
}

func TestWait_OlderPublicationIsNotEnough(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "old")
	started, gate := make(chan struct{}), make(chan struct{})
	defer close(gate)
	s.on("/a", func(_ context.Context, _ int, text string) (string, error) {
		close(started)
		<-gate
		return text, nil
	})
	page := p.trigger(ledger.Critical, "/a")[0]
	<-started
	if err := p.wait(page, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait = %v, want the end of its patience", err)
	}
}

func TestWait_Failed(t *testing.T) {
	for name, failure := range map[string]error{
		"for good":           errors.New("no such field"),
		"and will try again": &storage.TemporaryError{Err: errors.New("status 503"), After: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.on("/a", func(context.Context, int, string) (string, error) { return "", failure })
			page := p.trigger(ledger.Critical, "/a")[0]
			if err := p.wait(page, patient); !errors.Is(err, ErrNotPublished) {
				t.Errorf("wait = %v, want ErrNotPublished", err)
			}
		})
	}
}

func TestWait_FailureBeforeTheTriggerDoesNotCount(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.on("/a", func(_ context.Context, n int, text string) (string, error) {
		if n == 1 {
			return "", errors.New("no such field")
		}
		return text, nil
	})
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageFailed)
	page := p.trigger(ledger.Critical, "/a")[0]
	if err := p.wait(page, patient); err != nil {
		t.Errorf("wait = %v, want nil: the failure was of an older trigger", err)
	}
}

func TestWait_GonePage(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.on("/a", gone)
	page := p.trigger(ledger.Critical, "/a")[0]
	if err := p.wait(page, patient); err != nil {
		t.Errorf("wait = %v, want nil: there is nothing to publish", err)
	}
}

func TestWait_RedisAwayForAWhile(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	page := p.trigger(ledger.Critical, "/a")[0]
	s.redis.Kill()
	over := make(chan error)
	go func() { over <- p.wait(page, patient) }()
	s.redis.Restart()
	p.run()
	if err := <-over; err != nil {
		t.Errorf("wait = %v, want nil: Redis came back in time", err)
	}
}

// waitLabel waits for the pages of a label, see wait.
func (p *process) waitLabel(l AcceptedLabel, atMost time.Duration) error {
	ctx, cancel := context.WithTimeout(p.site.t.Context(), atMost)
	defer cancel()
	return p.WaitLabel(ctx, l)
}

func TestWaitLabel_OfNoPage(t *testing.T) {
	p := newWebsite(t).running()
	if err := p.waitLabel(p.triggerLabel(ledger.Low, ledger.Tag("x")), patient); err != nil {
		t.Error(err)
	}
}

func TestWaitLabel_RunsUnderWayAreWaitedFor(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/a", "x")
	p.publish("/a", "old")
	started, gate := make(chan struct{}), make(chan struct{})
	defer close(gate)
	s.on("/a", func(_ context.Context, _ int, text string) (string, error) { close(started); <-gate; return text, nil })
	l := p.triggerLabel(ledger.Low, ledger.Tag("x"))
	<-started
	p.awaitWalk(l.Label)
	if err := p.waitLabel(l, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait = %v, want the end of its patience", err)
	}
}

func TestWaitLabel_WalkThatDoesNotBegin(t *testing.T) {
	p := newWebsite(t).process()
	l := p.triggerLabel(ledger.Low, ledger.Tag("x"))
	if err := p.waitLabel(l, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait = %v, want the end of its patience", err)
	}
}

func TestWaitLabel_PageThatFails(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	for _, path := range []string{"/a", "/b"} {
		s.tag(path, "x")
		p.publish(path, "old")
	}
	s.on("/a", func(context.Context, int, string) (string, error) { return "", errors.New("no such field") })
	err := p.waitLabel(p.triggerLabel(ledger.Low, ledger.Tag("x")), patient)
	if !errors.Is(err, ErrNotPublished) || !strings.Contains(err.Error(), "/a: ") {
		t.Errorf("wait = %v, want ErrNotPublished and the page's name", err)
	}
}
