package worker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rebake/storage/ledger"
)

// settling is a trigger of a page that waits until it is quiet.
func settling(path string, settle, maxWait time.Duration) Trigger {
	return Trigger{Paths: onePath(path), Settle: settle, MaxWait: maxWait, Priority: ledger.Critical, Reason: "webhook"}
}

// notInTest is longer than a test waits: what comes because of it comes too late.
const notInTest = 2 * patient

func TestSettle_PageIsRenderedWhenItsTimeHasCome(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.byItself()
	const settle = 300 * time.Millisecond
	s.set("/a", "text")
	start := time.Now()
	p.accepted(settling("/a", settle, notInTest))
	p.await("/a", ledger.PageFresh)
	if took := time.Since(start); took < settle {
		t.Errorf("published %v after the trigger, want %v", took, settle)
	}
	s.wantRenders("/a", 1)
}

func TestSettle_PageThatAnotherAcceptsIsRenderedWhenItsTimeHasCome(t *testing.T) {
	s := newWebsite(t)
	p, other := s.running(), s.process()
	p.unswept()
	s.untilInTime(func(path string, settle time.Duration) bool {
		start := time.Now()
		other.accepted(settling(path, settle, notInTest))
		alarmed := false
		s.await("the worker has an alarm for it", func() bool {
			p.alarms.mu.Lock()
			defer p.alarms.mu.Unlock()
			alarmed = len(p.alarms.ids) > 0
			return alarmed || s.renders(path) > 0
		})
		if !alarmed {
			return false
		}
		p.byItself() // or asynq brings it as well, a second late
		p.await(path, ledger.PageFresh)
		if took := time.Since(start); took < settle {
			t.Errorf("published %v after the trigger, want %v", took, settle)
		}
		s.wantRenders(path, 1)
		return true
	})
}

// A task of a token that waits a little is handed out at once, to whoever works:
// that one has an alarm for it, and asynq's clock is a second slow.
func TestSettle_TaskOfWhoDoesNotWorkIsHandedOutAtOnce(t *testing.T) {
	s := newWebsite(t)
	s.process().accepted(settling("/a", time.Second, time.Second))
	pending, err := s.inspector().ListPendingTasks("critical")
	if err != nil || len(pending) != 1 {
		t.Errorf("pending tasks = %v, %v, want one", pending, err)
	}
}

// often accepts a trigger again and again, as long as more says, and returns when
// it began. Where the machine was too slow for the next to come before the last has
// settled, it says so.
func (p *process) often(tr Trigger, more func(n int) bool) (first, last time.Time, inTime bool) {
	p.site.t.Helper()
	first = time.Now()
	for n := 0; more(n); n++ {
		since := last
		last = time.Now()
		p.accepted(tr)
		if n > 0 && time.Since(since) >= tr.Settle {
			return first, last, false
		}
		p.site.await("a part of the time has passed", func() bool { return time.Since(last) > tr.Settle/4 })
	}
	return first, last, true
}

// untilInTime runs f with a page of its own and a time to settle, until that was
// long enough for a machine as busy as this one.
func (s *website) untilInTime(f func(path string, settle time.Duration) (inTime bool)) {
	s.t.Helper()
	settle := 200 * time.Millisecond
	s.await("all comes in time", func() bool { settle *= 2; return f(fmt.Sprint("/", settle), settle) })
}

func TestSettle_TriggersThatFollowBeginItAnew(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.byItself()
	s.untilInTime(func(path string, settle time.Duration) bool {
		_, last, inTime := p.often(settling(path, settle, notInTest), func(n int) bool { return n < 5 })
		if !inTime {
			return false
		}
		p.await(path, ledger.PageFresh)
		if took := time.Since(last); took < settle {
			t.Errorf("published %v after the last trigger, want %v", took, settle)
		}
		s.wantRenders(path, 1)
		return true
	})
}

func TestSettle_MaxWaitBoundsIt(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.byItself()
	s.untilInTime(func(path string, settle time.Duration) bool {
		maxWait := settle * 3 / 2
		first, _, inTime := p.often(settling(path, settle, maxWait), func(n int) bool {
			if n > 1000 {
				t.Fatal("the page is never rendered")
			}
			return s.renders(path) == 0
		})
		if took := time.Since(first); inTime && took < maxWait {
			t.Errorf("rendered %v after the first trigger, want %v", took, maxWait)
		}
		return inTime
	})
}

func TestSettle_TriggerThatDoesNotSettleDoesNotWait(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.byItself()
	s.set("/a", "text")
	p.accepted(settling("/a", notInTest, notInTest))
	p.trigger(ledger.Critical, "/a")
	s.awaitServed("/a", "text")
}

func TestSettle_LabelIsWalkedWhenItsTimeHasCome(t *testing.T) {
	for name, label := range map[string]ledger.Label{"tag": ledger.Tag("post:1"), "item": ledger.Item("post:1")} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.tag("/a", "post:1")
			p.publish("/a", "old")
			p.byItself()
			s.set("/a", "new")
			const settle = 300 * time.Millisecond
			tr := Trigger{Labels: []ledger.Label{label}, Settle: settle, MaxWait: notInTest, Priority: ledger.Critical}
			start := time.Now()
			p.accepted(tr)
			p.accepted(tr)
			want := 2
			if time.Since(start) >= settle {
				want++ // the machine is so slow that they are two
			}
			s.awaitServed("/a", "new")
			if took := time.Since(start); took < settle {
				t.Errorf("published %v after the trigger, want %v", took, settle)
			}
			p.quiet(t)
			if n := s.renders("/a"); n < 2 || n > want {
				t.Errorf("the page was rendered %d times, want %d", n, want)
			}
		})
	}
}

func TestSettle_BackOffEndsWhenItIsDue(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/a", "post:1", 1)
	p.byItself()
	tries := make(chan time.Time, 10)
	s.on("/a", func(_ context.Context, _ int, text string) (string, error) {
		tries <- time.Now()
		return text, nil
	})
	p.accepted(edited("/a", "post:1", 2)) // tried at once, and a second later
	s.await("it is tried twice", func() bool { return len(tries) >= 2 })
	first := <-tries
	if gap := (<-tries).Sub(first); gap < time.Second {
		t.Errorf("the second try came %v after the first, want a second", gap)
	}
}
