package worker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"rebake/storage"
	"rebake/storage/ledger"
)

func TestWalk_StopGivesItBack(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Workers = 2; set.Grace = 50 * time.Millisecond; set.ledger.Lease = notInTest })
	paths := numbered("/x", 5)
	for _, path := range paths {
		s.set(path, "old")
		s.tag(path, "x")
	}
	p.publishAll(ledger.Low, paths...)
	started := make(chan struct{})
	for i, path := range paths {
		s.set(path, "new")
		s.on(path, func(ctx context.Context, n int, text string) (string, error) {
			if i == 1 && n == 2 {
				close(started)
				<-ctx.Done()
			}
			return text, ctx.Err()
		})
	}
	accepted := p.triggerLabel(ledger.Low, ledger.Tag("x"))
	<-started
	p.stop()
	if st := s.rdb.HGet(t.Context(), walkKey(accepted.Label), "st").Val(); st != "queued" {
		t.Fatalf("the walk is %q after the stop, want queued", st)
	}
	if err := s.running().waitLabel(accepted, patient); err != nil { // and it waits for no lease
		t.Fatal(err)
	}
	for _, path := range paths {
		s.wantServed(path, "new")
	}
}

func TestWalk_FailingPageHasRetriesOfItsOwn(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	paths := numbered("/x", 3)
	for _, path := range paths {
		s.set(path, "old")
		s.tag(path, "x")
	}
	p.publishAll(ledger.Low, paths...)
	bad := paths[1]
	s.on(bad, func(_ context.Context, n int, text string) (string, error) {
		if n < 4 {
			return "", &storage.TemporaryError{Err: errors.New("status 503"), After: 300 * time.Millisecond}
		}
		return text, nil
	})
	for _, path := range paths {
		s.set(path, "new")
	}
	p.triggerLabel(ledger.Low, ledger.Tag("x"))
	p.awaitWalk(ledger.Tag("x"))
	p.await(paths[2], ledger.PageFresh)
	p.await(bad, ledger.PageFresh)
	s.wantServed(bad, "new")
	s.wantRenders(bad, 4)
	for _, path := range []string{paths[0], paths[2]} {
		s.wantRenders(path, 2)
	}
}

func TestWalk_LostWakeUp(t *testing.T) {
	s := newWebsite(t)
	s.tag("/a", "x")
	first := s.running()
	first.publish("/a", "old")
	first.stop()
	s.set("/a", "new")
	p := s.process() // accepts and does not work
	p.triggerLabel(ledger.Low, ledger.Tag("x"))
	if n, err := s.inspector().DeleteAllPendingTasks("low"); err != nil || n != 1 {
		t.Fatalf("%d tasks deleted, %v, want one", n, err)
	}
	s.rdb.ZAddXX(t.Context(), "rebake:{"+host+"}:dirty", due("tag:x"))
	p.run()
	s.await("the page is served as it is", func() bool { return s.served("/a") == html("new") })
}

func TestWalk_OfADeadOwner(t *testing.T) {
	s := newWebsite(t)
	s.tag("/a", "x")
	p := s.running(quick)
	p.publish("/a", "old")
	s.set("/a", "new")
	r, err := p.Ledger.TriggerLabel(t.Context(), ledger.Tag("x"), ledger.Request{})
	if err != nil {
		t.Fatal(err)
	}
	dead, err := p.Ledger.ClaimWalk(t.Context(), *r.Token)
	if err != nil || dead.State != ledger.Claimed {
		t.Fatalf("claim = %+v, %v", dead, err)
	}
	s.await("the page is served as it is", func() bool { return s.served("/a") == html("new") })
}

func TestWalk_TaskOnTheWire(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	if err := p.queue.add(t.Context(), ledger.Token{Label: ledger.Tag("post:42"), ID: "7-x", Priority: ledger.Low}); err != nil {
		t.Fatal(err)
	}
	tasks, err := s.inspector().ListPendingTasks("low")
	if err != nil || len(tasks) != 1 {
		t.Fatalf("tasks = %v, %v, want one", tasks, err)
	}
	got := fmt.Sprintln(tasks[0].Type, tasks[0].ID, string(tasks[0].Payload))
	if want := fmt.Sprintln("rebake:walk", "7-x", `{"label":"tag:post:42","token":"7-x"}`); got != want {
		t.Errorf("task = %s, want %s", got, want)
	}
}

func TestWalk_BrokenTaskIsPutAside(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/a", "x")
	p.publish("/a", "old")
	client := asynq.NewClientFromRedisClient(s.rdb)
	for kind, payloads := range map[string][]string{
		kindWalk: {"{", `{"token":"1-x"}`, `{"label":"x","token":"1-x"}`, `{"label":"tag:","token":"1-x"}`, `{"path":"/a","token":"1-x"}`},
		kindPage: {`{"label":"tag:x","token":"1-x"}`},
	} {
		for _, payload := range payloads {
			task, err := client.Enqueue(asynq.NewTask(kind, []byte(payload)), asynq.Queue("critical"))
			if err != nil {
				t.Fatal(err)
			}
			s.await(kind+" "+payload+" is archived", func() bool {
				info, err := s.inspector().GetTaskInfo("critical", task.ID)
				return err == nil && info.State == asynq.TaskStateArchived
			})
		}
	}
	s.set("/a", "others go on")
	p.triggerLabel(ledger.Critical, ledger.Tag("x"))
	s.await("the page is served as it is", func() bool { return s.served("/a") == html("others go on") })
}
