package worker

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"rebake/storage/ledger"
)

func TestQueue_TaskOnTheWire(t *testing.T) {
	for _, prio := range []ledger.Priority{ledger.Low, ledger.Default, ledger.Critical} {
		t.Run(prio.String(), func(t *testing.T) {
			s := newWebsite(t)
			p := s.process()
			tok := ledger.Token{Path: mustPath("/café/a"), ID: "7-x", Priority: prio}
			if err := p.queue.add(t.Context(), tok); err != nil {
				t.Fatal(err)
			}
			tasks, err := s.inspector().ListPendingTasks(prio.String())
			if err != nil || len(tasks) != 1 {
				t.Fatalf("tasks of the queue %s = %v, %v, want one", prio, tasks, err)
			}
			got := fmt.Sprintln(tasks[0].Type, tasks[0].ID, string(tasks[0].Payload))
			if want := fmt.Sprintln("rebake:page", "7-x", `{"path":"/café/a","token":"7-x"}`); got != want {
				t.Errorf("task = %s, want %s", got, want)
			}
		})
	}
}

func TestQueue_TokenThatIsThereAlready(t *testing.T) {
	p := newWebsite(t).process()
	tok := ledger.Token{Path: mustPath("/a"), ID: "7-x"}
	for range 2 {
		if err := p.queue.add(t.Context(), tok); err != nil {
			t.Fatal(err)
		}
	}
}

func TestQueue_Holds(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	for _, tok := range []ledger.Token{
		{Path: mustPath("/pending"), ID: "1-x"},
		{Path: mustPath("/scheduled"), ID: "2-x", Wait: time.Hour},
		{Path: mustPath("/due"), ID: "3-x", Wait: time.Hour},
	} {
		if err := p.queue.add(t.Context(), tok); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		suspect ledger.Suspect
		want    bool
		state   asynq.TaskState // afterwards
	}{
		"pending":   {ledger.Suspect{Token: ledger.Token{ID: "1-x"}, Due: true}, true, asynq.TaskStatePending},
		"scheduled": {ledger.Suspect{Token: ledger.Token{ID: "2-x"}}, true, asynq.TaskStateScheduled},
		"due":       {ledger.Suspect{Token: ledger.Token{ID: "3-x"}, Due: true}, true, asynq.TaskStatePending},
		"missing":   {ledger.Suspect{Token: ledger.Token{ID: "4-x"}, Due: true}, false, 0},
		"no queue":  {ledger.Suspect{Token: ledger.Token{ID: "1-x", Priority: ledger.Critical}}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := p.queue.holds(c.suspect)
			if err != nil || got != c.want {
				t.Fatalf("holds = %v, %v, want %v", got, err, c.want)
			}
			if !c.want {
				return
			}
			info, err := s.inspector().GetTaskInfo("low", c.suspect.ID)
			if err != nil || info.State != c.state {
				t.Errorf("the task is %+v, %v afterwards, want %v", info, err, c.state)
			}
		})
	}
}

func TestQueue_Oldest(t *testing.T) {
	p := newWebsite(t).process()
	if err := p.queue.register(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint64{math.MaxUint64, 5, 5, 5} {
		got, err := p.queue.oldest(ledger.Low)
		if err != nil || got != want {
			t.Fatalf("oldest of %d tasks = %d, %v, want %d", i, got, err, want)
		}
		tok := ledger.Token{Path: mustPath("/a"), ID: fmt.Sprintf("%d-x", 5+i)}
		if err := p.queue.add(t.Context(), tok); err != nil {
			t.Fatal(err)
		}
	}
}

func TestQueue_BrokenTaskIsPutAside(t *testing.T) {
	for name, payload := range map[string]string{
		"no JSON": "{", "no path": `{"token":"1-x"}`, "bad path": `{"path":"/a/../b","token":"1-x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			client := asynq.NewClientFromRedisClient(s.rdb)
			task, err := client.Enqueue(asynq.NewTask(kindPage, []byte(payload)), asynq.Queue("critical"))
			if err != nil {
				t.Fatal(err)
			}
			s.await("the task is archived", func() bool {
				info, err := s.inspector().GetTaskInfo("critical", task.ID)
				return err == nil && info.State == asynq.TaskStateArchived
			})
			p.publish("/a", "others go on")
		})
	}
}
