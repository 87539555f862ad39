package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
	"rebake/storage/ledger"
)

// limitMemory sets maxmemory so that what Redis uses now is that share of it. It
// makes Redis hold so much that a few connections more or less, 40 kB each, are
// not a share of it.
func (p *process) limitMemory(share float64) {
	p.site.t.Helper()
	do(p.site.t, p.site.rdb, "setrange", "ballast", 16<<20, "x")
	used, _, err := p.memory(p.site.t.Context())
	if err != nil {
		p.site.t.Fatal(err)
	}
	do(p.site.t, p.site.rdb, "config", "set", "maxmemory", strconv.Itoa(int(float64(used)/share)))
}

// H84: from half of its memory on, triggers wait, and the workers go on.
func TestIntake_H84TriggersStopAtHalfOfTheMemory(t *testing.T) {
	s := newWebsite(t)
	p := s.spooling()
	var owed []string
	for i := range 100 {
		path := "/" + strconv.Itoa(i)
		s.set(path, "text")
		owed = append(owed, path)
	}
	p.trigger(ledger.Low, owed...)
	s.await("a slow machine brings all of them to redis", func() bool { return p.Spool.Size().Records == 0 })
	p.limitMemory(0.8)
	s.await("redis is half full", func() bool { return p.Intake().Full })
	s.set("/late", "text")
	if got := p.mustSpool("/late").Why; got != "redis is half full" {
		t.Errorf("it is spooled because %q", got)
	}
	p.run()
	for _, path := range owed {
		p.await(path, ledger.PageFresh)
	}
	s.wantServed("/late", "")
	p.limitMemory(0.3)
	s.awaitServed("/late", "text")
}

// H84: the index of a large site may be more than half of the memory, for ever.
func TestIntake_H84AFewTriggersAreLetInWhenNothingElseIsToDo(t *testing.T) {
	s := newWebsite(t)
	p := s.spooling()
	p.run()
	p.limitMemory(0.6)
	s.await("redis is half full", func() bool { return p.Intake().Full })
	s.set("/a", "text")
	p.mustSpool("/a")
	s.awaitServed("/a", "text")
	if !p.Intake().Full {
		t.Error("redis is not half full any more: the test shows nothing")
	}
}

// H84, the control: without that limit a full Redis lets nobody make room.
func TestIntake_H84WithoutItWorkersCannotGoOn(t *testing.T) {
	s := newWebsite(t)
	p := s.process() // no spool
	p.limitMemory(0.8)
	var tok *ledger.Token
	size := 50_000 // of a trigger; the smaller ones take what the large ones leave
	for i := 0; size > 100; i++ {
		r, err := p.Ledger.Trigger(t.Context(), mustPath("/"+strconv.Itoa(i)), ledger.Request{Reason: strings.Repeat("x", size)})
		if err != nil && strings.Contains(err.Error(), "OOM") {
			size /= 5
			continue
		}
		if err != nil || i > 100_000 {
			t.Fatalf("trigger %d: %v, want it refused for lack of memory", i, err)
		}
		tok = r.Token
	}
	if _, err := p.Ledger.Claim(t.Context(), *tok); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("claim = %v, want it refused for lack of memory", err)
	}
}

// H81: what belongs to another site, or may lose triggers, gets none.
func TestIntake_H81RefusedRedisGetsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(*process)
		end   func(*process)
	}{
		"another site's": {
			func(p *process) { do(p.site.t, p.site.rdb, "set", "rebake:site", "other.example.com") },
			func(p *process) { do(p.site.t, p.site.rdb, "set", "rebake:site", host) },
		},
		"of a newer schema": {
			func(p *process) { do(p.site.t, p.site.rdb, "set", "rebake:{"+host+"}:schema", 99) },
			func(p *process) { do(p.site.t, p.site.rdb, "set", "rebake:{"+host+"}:schema", 1) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.process()
			p.openSpool(1 << 20)
			c.begin(p)
			p.attend()
			p.begin()
			s.await("redis is refused", func() bool { return strings.Contains(p.Intake().Reason, "the log says more") })
			s.set("/a", "text")
			p.mustSpool("/a")
			if n := do(t, s.rdb, "exists", owedKey("/a")); n != int64(0) {
				t.Error("the trigger is in the Redis")
			}
			c.end(p)
			s.awaitServed("/a", "text")
		})
	}
}

// H83: killed between the record and the wake-up.
func TestAccept_H83KilledBetweenRecordAndWakeUp(t *testing.T) {
	s := newWebsite(t)
	s.set("/a", "text")
	s.process().token("/a", ledger.Critical) // and nothing more
	s.running()
	s.awaitServed("/a", "text")
}

// H90: Redis has done what it was asked for, and the reply is lost.
func TestAccept_H90LostReply(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	cut := p.cutReplies()
	seq := func() (n int) {
		n, err := strconv.Atoi(fmt.Sprint(do(t, s.rdb, "get", "rebake:{"+host+"}:seq")))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	p.trigger(ledger.Low, "/first") // for which Redis learns its scripts
	first := seq()
	p.trigger(ledger.Low, "/usual")
	usual := seq() - first

	t.Run("of a trigger", func(t *testing.T) {
		before := seq()
		cut.arm("owed:/a")
		a, err := p.Accept(t.Context(), Trigger{Paths: onePath("/a")})
		if err != nil || len(a.Pages) != 1 || cut.fired.Load() != 1 {
			t.Fatalf("accept = %+v, %v with %d replies cut", a, err, cut.fired.Load())
		}
		if step := seq() - before; step != usual {
			t.Errorf("the trigger that was sent twice took %d numbers, want %d", step, usual)
		}
	})
	t.Run("of asynq", func(t *testing.T) {
		cut.arm("asynq:{low}:t:7777-x")
		tok := ledger.Token{Path: mustPath("/b"), ID: "7777-x", Priority: ledger.Low}
		if err := p.queue.add(t.Context(), tok); err != nil || cut.fired.Load() != 2 {
			t.Fatalf("add = %v with %d replies cut", err, cut.fired.Load())
		}
		tasks, err := s.inspector().ListPendingTasks("low")
		if err != nil || len(tasks) != 4 {
			t.Errorf("%d tasks, %v, want those of three pages and this one", len(tasks), err)
		}
	})
}

// H90: the reply is late, and by then the trigger is in the spool as well.
func TestAccept_H90LateReplyIsATriggerTwice(t *testing.T) {
	s := newWebsite(t)
	p := s.away()
	s.set("/a", "text")
	p.mustSpool("/a") // it was sent, and lies in the socket
	s.redis.Resume()
	p.attend()
	p.run()
	s.awaitServed("/a", "text")
	s.await("the spool is empty", func() bool { return p.Spool.Size().Records == 0 })
	p.await("/a", ledger.PageFresh)
	if n := s.renders("/a"); n > 3 {
		t.Errorf("%d renders for one trigger that was sent twice", n)
	}
}

// replyCutter breaks a connection after Redis has read what was sent.
type replyCutter struct {
	redis.Hook
	armed atomic.Pointer[string] // a word of the command whose reply is to be lost
	fired atomic.Int64
}

func (c *replyCutter) arm(word string) { c.armed.Store(&word) }

// cutReplies makes all new connections of the process go through a cutter, and
// ends the old ones.
func (p *process) cutReplies() *replyCutter {
	p.site.t.Helper()
	c := &replyCutter{}
	p.rdb.AddHook(c)
	do(p.site.t, p.site.rdb, "client", "kill", "type", "normal", "skipme", "yes")
	return c
}

func (c *replyCutter) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		return &cutConn{Conn: conn, cutter: c}, err
	}
}

func (c *replyCutter) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (c *replyCutter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

type cutConn struct {
	net.Conn
	cutter *replyCutter
	doomed atomic.Bool
}

// Write sends commands, which may be those of the word.
func (c *cutConn) Write(b []byte) (int, error) {
	if word := c.cutter.armed.Load(); word != nil && bytes.Contains(b, []byte(*word)) && c.cutter.armed.CompareAndSwap(word, nil) {
		c.doomed.Store(true)
	}
	return c.Conn.Write(b)
}

// Read waits for the reply, and loses it with the connection.
func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil && c.doomed.Load() {
		c.cutter.fired.Add(1)
		return 0, errors.Join(net.ErrClosed, c.Conn.Close())
	}
	return n, err
}

// H92: nothing depends on asynq's archive, which forgets beyond 10,000 tasks.
func TestSweep_H92ArchivedTasks(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	s.set("/a", "text")
	p.trigger(ledger.Critical, "/a")
	tasks, err := s.inspector().ListPendingTasks("critical")
	if err != nil || len(tasks) != 1 {
		t.Fatalf("tasks = %v, %v, want one", tasks, err)
	}
	if err := s.inspector().ArchiveTask("critical", tasks[0].ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.rdb.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for i := range 10_000 {
			pipe.ZAdd(t.Context(), "asynq:{critical}:archived", redis.Z{Score: float64(time.Now().Unix()), Member: fmt.Sprint("old-", i)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.run()
	s.awaitServed("/a", "text")
}

// H91: asynq would never find this task again.
func TestSweep_H91LeaseOfADeadWorkerIsRemoved(t *testing.T) {
	s := newWebsite(t)
	s.set("/a", "text")
	dead := s.process(quick)
	tok := dead.token("/a", ledger.Critical)
	run, err := dead.Ledger.Claim(t.Context(), tok)
	if err != nil || run.State != ledger.Claimed {
		t.Fatalf("claim = %+v, %v", run, err)
	}
	if err := dead.queue.add(t.Context(), tok); err != nil {
		t.Fatal(err)
	}
	// As asynq leaves a task that a worker has taken, without its lease.
	key := "asynq:{critical}:"
	do(t, s.rdb, "lmove", key+"pending", key+"active", "right", "left")
	do(t, s.rdb, "hset", key+"t:"+tok.ID, "state", "active")
	s.running(quick)
	s.awaitServed("/a", "text")
}

// H82: Redis is killed three times while one page renders.
func TestFault_H82RedisKilledInTheMiddleOfARun(t *testing.T) {
	s := newWebsite(t)
	p := s.running(quick)
	p.publish("/a", "old")
	s.set("/a", "new")
	var armed atomic.Bool
	rendering, killed := make(chan struct{}), make(chan struct{})
	s.on("/a", func(_ context.Context, _ int, text string) (string, error) {
		if armed.CompareAndSwap(true, false) {
			rendering <- struct{}{}
			<-killed
		}
		return text, nil
	})
	for i := range 3 {
		s.set("/a", fmt.Sprint("text ", i))
		armed.Store(true)
		p.trigger(ledger.Critical, "/a")
		<-rendering
		s.redis.Kill()
		s.redis.Restart()
		killed <- struct{}{}
		// Whether this run is published or a later one, the trigger is kept.
		p.await("/a", ledger.PageFresh)
		s.wantServed("/a", fmt.Sprint("text ", i))
	}
}

// A trigger of the spool comes late: it must not undo what was decided since.
func TestSpooled_LateTriggerKeepsWhatWasDecidedSince(t *testing.T) {
	s := newWebsite(t)
	p := s.spooling()
	s.redis.Kill()
	later := time.Now().Add(2 * time.Hour)
	if _, err := p.Accept(t.Context(), Trigger{Paths: onePath("/a"), At: later}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Accept(t.Context(), Trigger{Paths: onePath("/kept"), Unkeep: true}); err != nil {
		t.Fatal(err)
	}
	s.redis.Restart()
	// Before the spool is drained, or after it, in the same way.
	other := s.process()
	newer := time.Now().Add(time.Hour)
	if err := other.Ledger.Schedule(t.Context(), mustPath("/a"), newer); err != nil {
		t.Fatal(err)
	}
	if err := other.Ledger.Keep(t.Context(), mustPath("/kept"), "ann", "a takedown"); err != nil {
		t.Fatal(err)
	}
	s.await("the spool is empty", func() bool { return p.Spool.Size().Records == 0 })
	timers, err := s.rdb.ZRangeWithScores(t.Context(), "rebake:{"+host+"}:timers", 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	var at []float64
	for _, z := range timers {
		at = append(at, z.Score)
	}
	if len(at) != 2 || at[0] != float64(newer.UnixMilli()) || at[1] != float64(later.UnixMilli()) {
		t.Errorf("timers are %v, want both", timers)
	}
	if kept, err := p.Ledger.Kept(t.Context(), mustPath("/kept")); err != nil || kept == nil {
		t.Errorf("the mark is %v, %v: a trigger from before it took it away", kept, err)
	}
}

func TestSpooled_RoundTrip(t *testing.T) {
	s := newWebsite(t)
	p := s.spooling()
	p.run()
	p.publish("/a", "old")
	s.tag("/a", "post:1")
	p.trigger(ledger.Critical, "/a")
	s.await("the page has its tag", func() bool {
		n, err := p.Ledger.Pages(t.Context(), ledger.Tag("post:1"))
		return err == nil && n == 1
	})
	s.redis.Pause()
	s.set("/a", "by its tag")
	a, err := p.Accept(t.Context(), Trigger{Labels: []ledger.Label{ledger.Tag("post:1")}, OnlyPublished: true})
	if err != nil || a.Spooled == nil || len(a.Spooled.Labels) != 1 {
		t.Errorf("accept = %+v, %v", a, err)
	}
	a, err = p.Accept(t.Context(), Trigger{Paths: onePath("/never"), OnlyPublished: true})
	if err != nil || a.Spooled == nil {
		t.Errorf("accept = %+v, %v", a, err)
	}
	s.redis.Resume()
	s.awaitServed("/a", "by its tag")
	s.await("the spool is empty", func() bool { return p.Spool.Size().Records == 0 })
	if got := p.state("/never").Freshness; got != ledger.PageUnknown {
		t.Errorf("a page that was never published is %s", got)
	}
}

func TestSpooled_WhatIsNotUnderstoodKeepsNobodyWaiting(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	p.openSpool(1 << 20)
	for _, record := range []string{"no JSON", `{"paths":["/a/../b"]}`, `{"labels":["what"]}`} {
		if err := p.Spool.Append([]byte(record)); err != nil {
			t.Fatal(err)
		}
	}
	s.set("/a", "text")
	if _, err := p.spool(Trigger{Paths: onePath("/a")}, storage.Temporary(errors.New("away"))); err != nil {
		t.Fatal(err)
	}
	p.attend()
	p.run()
	s.awaitServed("/a", "text")
}
