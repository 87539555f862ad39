package ledger

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage/redistest"
)

var echo = redis.NewScript(`if ARGV[1] == 'bad' then return redis.error_reply('bad') end return {ARGV[1]}`)

// gate is a hook that holds up pipelines, and counts what is in each.
type gate struct {
	redis.Hook
	arrived chan int // how many commands a pipeline has
	open    chan struct{}
}

func (g gate) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (g gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (g gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		g.arrived <- len(cmds)
		<-g.open
		return next(ctx, cmds)
	}
}

func gated(t *testing.T) (*batches, gate) {
	client := redistest.Start(t).Client()
	if err := echo.Load(t.Context(), client).Err(); err != nil {
		t.Fatal(err)
	}
	g := gate{arrived: make(chan int, 16), open: make(chan struct{})}
	client.AddHook(g)
	return &batches{rdb: client, patience: time.Hour}, g
}

// ask runs echo in the background.
func ask(ctx context.Context, b *batches, word string) (answer func() (string, error)) {
	var reply []any
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { reply, err = b.run(ctx, echo, nil, []any{word}) })
	return func() (string, error) {
		wg.Wait()
		if err != nil {
			return "", err
		}
		return reply[0].(string), nil
	}
}

// await waits until so many calls wait for the next batch.
func (b *batches) await(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(patient); ; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		waiting := len(b.next)
		b.mu.Unlock()
		if waiting == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d calls wait for the next batch, want %d", waiting, n)
		}
	}
}

func TestBatches_WhatIsAskedDuringABatchIsSentTogether(t *testing.T) {
	b, g := gated(t)
	first := ask(t.Context(), b, "first")
	if n := <-g.arrived; n != 1 {
		t.Fatalf("the first batch has %d scripts, want 1: nobody waits for others", n)
	}
	second, third := ask(t.Context(), b, "second"), ask(t.Context(), b, "third")
	b.await(t, 2)
	close(g.open)
	for want, answer := range map[string]func() (string, error){"first": first, "second": second, "third": third} {
		if got, err := answer(); got != want || err != nil {
			t.Errorf("%s was answered %q, %v", want, got, err)
		}
	}
	if n := <-g.arrived; n != 2 {
		t.Errorf("the second batch has %d scripts, want 2", n)
	}
}

func TestBatches_OneThatHangsDoesNotHoldUpTheNextForLong(t *testing.T) {
	b, g := gated(t)
	b.patience = time.Millisecond
	first := ask(t.Context(), b, "first")
	<-g.arrived
	second := ask(t.Context(), b, "second")
	<-g.arrived // although the first is under way
	close(g.open)
	for _, answer := range []func() (string, error){first, second} {
		if _, err := answer(); err != nil {
			t.Error(err)
		}
	}
}

func TestBatches_CallerWhoLeaves(t *testing.T) {
	b, g := gated(t)
	ctx, leave := context.WithCancelCause(t.Context())
	first := ask(ctx, b, "first")
	<-g.arrived
	second, third := ask(ctx, b, "second"), ask(t.Context(), b, "third")
	b.await(t, 2)
	gone := errors.New("the caller has gone")
	leave(gone)
	for name, answer := range map[string]func() (string, error){"sent": first, "not sent": second} {
		if _, err := answer(); !errors.Is(err, gone) {
			t.Errorf("%s: error is %v, want %v", name, err, gone)
		}
	}
	b.await(t, 1) // what was not sent never is
	close(g.open)
	if got, err := third(); got != "third" || err != nil {
		t.Errorf("the one who stayed was answered %q, %v", got, err)
	}
}

func TestBatches_ScriptThatFailsLeavesTheOthers(t *testing.T) {
	b, g := gated(t)
	close(g.open)
	b.sending = true // so that both go together
	bad, good := ask(t.Context(), b, "bad"), ask(t.Context(), b, "good")
	b.await(t, 2)
	b.sending = false
	b.send()
	if _, err := bad(); err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("error of the bad script is %v", err)
	}
	if got, err := good(); got != "good" || err != nil {
		t.Errorf("the good script was answered %q, %v", got, err)
	}
}

func TestBatches_RedisThatForgotItsScriptsGetsThemAgain(t *testing.T) {
	client := redistest.Start(t).Client()
	b := newBatches(client)
	for _, word := range []string{"new", "again"} {
		if err := client.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if got, err := ask(t.Context(), b, word)(); got != word || err != nil {
			t.Errorf("%s was answered %q, %v", word, got, err)
		}
	}
}

func TestBatches_RedisAwayIsTheErrorOfEveryCall(t *testing.T) {
	server := redistest.Start(t)
	b := newBatches(server.Client())
	server.Kill()
	one, two := ask(t.Context(), b, "one"), ask(t.Context(), b, "two")
	for _, answer := range []func() (string, error){one, two} {
		if got, err := answer(); err == nil {
			t.Errorf("answered %q by a dead Redis", got)
		}
	}
}
