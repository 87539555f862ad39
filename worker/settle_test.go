package worker

import (
	"context"
	"testing"
	"time"

	"rebake/storage/ledger"
)

// settling is a trigger of a page that waits until it is quiet.
func settling(path string, settle, maxWait time.Duration) Trigger {
	return Trigger{Paths: onePath(path), Settle: settle, MaxWait: maxWait, Priority: ledger.Critical, Reason: "webhook"}
}

// late is how much later than due a page may be: much less than the second that
// asynq's clock takes.
const late = 700 * time.Millisecond

func TestSettle_PageIsRenderedWhenItsTimeHasCome(t *testing.T) {
	for name, accepts := range map[string]bool{"accepted by who renders": true, "accepted by another": false} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			by := p
			if !accepts {
				by = s.process()
			}
			const settle = 300 * time.Millisecond
			s.set("/a", "text")
			start := time.Now()
			by.accepted(settling("/a", settle, 10*time.Second))
			p.await("/a", ledger.PageFresh)
			if took := time.Since(start); took < settle || took > settle+late {
				t.Errorf("published %v after the trigger, want %v", took, settle)
			}
			s.wantRenders("/a", 1)
		})
	}
}

func TestSettle_TriggersThatFollowBeginItAnew(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	const settle = 300 * time.Millisecond
	var last time.Time
	for range 5 {
		p.accepted(settling("/a", settle, 10*time.Second))
		last = time.Now()
		s.within(settle, "a part of the time has passed", func() bool { return time.Since(last) > settle/3 })
	}
	s.set("/a", "last")
	p.await("/a", ledger.PageFresh)
	if took := time.Since(last); took < settle || took > settle+late {
		t.Errorf("published %v after the last trigger, want %v", took, settle)
	}
	s.wantServed("/a", "last")
	s.wantRenders("/a", 1)
}

func TestSettle_MaxWaitBoundsIt(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	const settle, maxWait = 400 * time.Millisecond, 700 * time.Millisecond
	first := time.Now()
	for s.renders("/a") == 0 {
		p.accepted(settling("/a", settle, maxWait))
		again := time.Now()
		s.within(settle, "a part of the time has passed", func() bool { return time.Since(again) > settle/4 })
		if time.Since(first) > 5*time.Second {
			t.Fatal("the page is never rendered")
		}
	}
	if took := time.Since(first); took < maxWait || took > maxWait+settle/4+late {
		t.Errorf("rendered %v after the first trigger, want %v", took, maxWait)
	}
}

func TestSettle_TriggerThatDoesNotSettleDoesNotWait(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/a", "text")
	p.accepted(settling("/a", time.Minute, time.Minute))
	start := time.Now()
	p.trigger(ledger.Critical, "/a")
	s.awaitServed("/a", "text")
	if took := time.Since(start); took > late {
		t.Errorf("published %v after the trigger, want at once", took)
	}
}

func TestSettle_LabelIsWalkedWhenItsTimeHasCome(t *testing.T) {
	for name, label := range map[string]ledger.Label{"tag": ledger.Tag("post:1"), "item": ledger.Item("post:1")} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.tag("/a", "post:1")
			p.publish("/a", "old")
			s.set("/a", "new")
			const settle = 300 * time.Millisecond
			start := time.Now()
			p.accepted(Trigger{Labels: []ledger.Label{label}, Settle: settle, MaxWait: time.Minute, Priority: ledger.Critical})
			p.accepted(Trigger{Labels: []ledger.Label{label}, Settle: settle, MaxWait: time.Minute, Priority: ledger.Critical})
			s.awaitServed("/a", "new")
			if took := time.Since(start); took < settle || took > settle+2*late {
				t.Errorf("published %v after the trigger, want %v", took, settle)
			}
			p.quiet(t)
			s.wantRenders("/a", 2)
		})
	}
}

func TestSettle_BackOffEndsWhenItIsDue(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/a", "post:1", 1)
	tries := make(chan time.Time, 10)
	s.on("/a", func(_ context.Context, _ int, text string) (string, error) {
		tries <- time.Now()
		return text, nil
	})
	p.accepted(edited("/a", "post:1", 2)) // tried at once, and a second later
	first := <-tries
	if gap := (<-tries).Sub(first); gap < time.Second || gap > time.Second+late {
		t.Errorf("the second try came %v after the first, want a second", gap)
	}
}
