package ledger

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// batches sends what several goroutines ask at the same time to Redis
// together: one round trip, and one fsync of its append-only file, for all of
// them. Nobody waits for others to come: whoever finds no batch under way sends
// at once, and what is asked until the answer is there makes the next batch.
//
// go-redis has an AutoPipeline, which is experimental, and executes without
// the context of the caller. Safe for concurrent use.
type batches struct {
	rdb redis.UniversalClient
	// patience is how long a batch may hold up the next one. A connection that
	// hangs until its time-out must not be everybody's.
	patience time.Duration

	mu      sync.Mutex
	next    []*call // guarded by mu; not sent yet
	sending bool    // guarded by mu; a batch is under way that holds up the next
}

// call is one script that is asked for.
type call struct {
	ctx    context.Context // the caller's; values alone are taken from it
	script *redis.Script
	keys   []string
	args   []any

	reply []any         // set when done is closed
	err   error         // likewise
	done  chan struct{} // closed when the answer is there
}

// mostInBatch bounds how long Redis works on one batch, and does nothing else,
// to a few milliseconds.
const mostInBatch = 128

func newBatches(rdb redis.UniversalClient) *batches {
	return &batches{rdb: rdb, patience: 50 * time.Millisecond}
}

// run runs a script, and returns when it is answered or ctx is done. In that
// case nobody knows whether it was run, unless it was not sent yet: then it
// never will be.
func (b *batches) run(ctx context.Context, s *redis.Script, keys []string, args []any) ([]any, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	c := &call{ctx: ctx, script: s, keys: keys, args: args, done: make(chan struct{})}
	b.mu.Lock()
	b.next = append(b.next, c)
	b.mu.Unlock()
	b.send()
	select {
	case <-c.done:
		return c.reply, c.err
	case <-ctx.Done():
		b.drop(c)
		return nil, context.Cause(ctx)
	}
}

// drop takes back what was not sent yet.
func (b *batches) drop(c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.next, c); i >= 0 {
		b.next = slices.Delete(b.next, i, i+1)
	}
}

// send sends the next batch, unless one is under way that will. The goroutine
// ends with the answer, or by the time-outs of the client.
func (b *batches) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sending || len(b.next) == 0 {
		return
	}
	n := min(len(b.next), mostInBatch)
	batch := slices.Clone(b.next[:n])
	b.next = slices.Delete(b.next, 0, n)
	b.sending = true
	go func() {
		var once sync.Once
		free := func() {
			b.mu.Lock()
			b.sending = false
			b.mu.Unlock()
			b.send()
		}
		impatient := time.AfterFunc(b.patience, func() { once.Do(free) })
		exec(b.rdb, batch)
		impatient.Stop()
		once.Do(free)
	}()
}

// exec runs the scripts of a batch in their order. Those that Redis does not
// have, because it is new or was started again, are sent once more with their
// text.
func exec(rdb redis.UniversalClient, batch []*call) {
	ctx := context.WithoutCancel(batch[0].ctx) // one caller who leaves does not end it for all
	cmds := pipelined(ctx, rdb, batch, (*redis.Script).EvalSha)
	var unknown []*call
	for i, c := range batch {
		if c.reply, c.err = cmds[i].Slice(); c.err != nil && strings.HasPrefix(c.err.Error(), "NOSCRIPT") {
			unknown = append(unknown, c)
			continue
		}
		close(c.done)
	}
	if len(unknown) == 0 {
		return
	}
	cmds = pipelined(ctx, rdb, unknown, (*redis.Script).Eval)
	for i, c := range unknown {
		c.reply, c.err = cmds[i].Slice()
		close(c.done)
	}
}

// pipelined returns one command for each call; its error is the call's.
func pipelined(ctx context.Context, rdb redis.UniversalClient, batch []*call, eval func(*redis.Script, context.Context, redis.Scripter, []string, ...any) *redis.Cmd) []*redis.Cmd {
	pipe := rdb.Pipeline()
	cmds := make([]*redis.Cmd, len(batch))
	for i, c := range batch {
		cmds[i] = eval(c.script, ctx, pipe, c.keys, c.args...)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	return cmds
}
