package worker

import (
	"testing"
	"time"

	"rebake/storage/ledger"
)

// quick makes leases short, so that a death is noticed soon.
func quick(set *settings) { set.ledger.Lease = 500 * time.Millisecond }

func TestSweep_LostWakeUp(t *testing.T) {
	s := newWebsite(t)
	p := s.process() // accepts and does not work
	p.trigger(ledger.Critical, "/a")
	tasks, err := s.inspector().ListPendingTasks("critical")
	if err != nil || len(tasks) != 1 {
		t.Fatalf("pending = %v, %v, want one task", tasks, err)
	}
	if err := s.inspector().DeleteTask("critical", tasks[0].ID); err != nil {
		t.Fatal(err)
	}
	s.rdb.ZAddXX(t.Context(), "rebake:{"+host+"}:dirty", due("/a"))
	p.run()
	p.await("/a", ledger.PageFresh)
}

func TestSweep_LostWakeUpInALostQueue(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "old")
	ctx := t.Context()
	for _, key := range s.rdb.Keys(ctx, "asynq:*").Val() {
		s.rdb.Del(ctx, key)
	}
	p.token("/a", ledger.Critical)
	p.await("/a", ledger.PageFresh)
}

func TestSweep_PageOfADeadOwner(t *testing.T) {
	s := newWebsite(t)
	p := s.running() // with long leases: it renders once, however slow it is
	dead, err := s.process(quick).Ledger.Claim(t.Context(), p.token("/a", ledger.Low))
	if err != nil || dead.State != ledger.Claimed {
		t.Fatalf("claim = %+v, %v", dead, err)
	}
	p.await("/a", ledger.PageFresh)
	s.wantRenders("/a", 1)
}

func TestSweep_WaitingTasksAreLeftAlone(t *testing.T) {
	s := newWebsite(t)
	accepts := s.process()
	accepts.trigger(ledger.Low, "/a", "/b", "/c")
	before, err := s.inspector().ListPendingTasks("low")
	if err != nil {
		t.Fatal(err)
	}
	s.rdb.ZAddXX(t.Context(), "rebake:{"+host+"}:dirty", due("/a"), due("/b"), due("/c"))
	if _, err := accepts.sweepOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := s.inspector().ListPendingTasks("low")
	if err != nil {
		t.Fatal(err)
	}
	if len(before) != 3 || len(after) != 3 {
		t.Errorf("%d tasks waited before the sweep and %d after it, want 3", len(before), len(after))
	}
}

func TestSweep_FindsTheOneThatIsMissingAmongMany(t *testing.T) {
	s := newWebsite(t)
	accepts := s.process()
	for _, path := range []string{"/a", "/b", "/c"} { // one after the other: the tasks lie in this order
		accepts.trigger(ledger.Low, path)
	}
	tasks, err := s.inspector().ListPendingTasks("low")
	if err != nil || len(tasks) != 3 {
		t.Fatalf("pending = %v, %v, want three tasks", tasks, err)
	}
	if err := s.inspector().DeleteTask("low", tasks[0].ID); err != nil { // the oldest
		t.Fatal(err)
	}
	s.rdb.ZAddXX(t.Context(), "rebake:{"+host+"}:dirty", due("/a"), due("/b"), due("/c"))
	if _, err := accepts.sweepOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	tasks, err = s.inspector().ListPendingTasks("low")
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 3 {
		t.Errorf("%d tasks wait after the sweep, want 3", len(tasks))
	}
}

func TestSweep_TaskThatWaitsForASlotIsLeftAlone(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Workers = 2 })
	release := take(t, p.slots, false) // as a walk does
	s.process().trigger(ledger.Low, "/a")
	token := func() string { return s.rdb.HGet(t.Context(), owedKey("/a"), "tok").Val() }
	before := token()
	s.await("the task waits for the slot", func() bool { return p.slots.waits(before) })
	s.rdb.ZAddXX(t.Context(), "rebake:{"+host+"}:dirty", due("/a"))
	s.await("the sweeper has looked at it", func() bool {
		return s.rdb.ZScore(t.Context(), "rebake:{"+host+"}:dirty", "/a").Val() > 1
	})
	if got := token(); got != before {
		t.Errorf("the token is %s after the sweep, want %s: its place in the queue is lost", got, before)
	}
	release()
	p.await("/a", ledger.PageFresh)
	s.wantRenders("/a", 1)
}
