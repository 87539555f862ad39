package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rebake/storage"
	"rebake/storage/ledger"
)

// The kinds of wake-ups: for one page, and for the walk of a label. On the
// wire: never rename one, add a new one.
const (
	kindPage = "rebake:page"
	kindWalk = "rebake:walk"
)

// payload is what asynqmon shows of a task.
type payload struct {
	Path  string       `json:"path,omitempty"`
	Label ledger.Label `json:"label,omitempty"`
	Token string       `json:"token"`
}

// queue turns tokens into asynq tasks and back. A task's id is its token, which
// is never used twice, so asynq's refusal of an id means that the task is
// there already.
type queue struct {
	redis     redis.UniversalClient
	client    *asynq.Client
	inspector *asynq.Inspector
	timeout   time.Duration
}

func newQueue(rdb redis.UniversalClient, render time.Duration) *queue {
	return &queue{
		redis:     rdb,
		client:    asynq.NewClientFromRedisClient(rdb),
		inspector: asynq.NewInspectorFromRedisClient(rdb),
		// asynq abandons a handler that overruns and starts the task again, so
		// a run must have ended by itself long before.
		timeout: 2*render + time.Minute,
	}
}

func (q *queue) add(ctx context.Context, tok ledger.Token) error {
	kind := kindPage
	if tok.Label != "" {
		kind = kindWalk
	}
	b, err := json.Marshal(payload{tok.Path.String(), tok.Label, tok.ID})
	if err != nil {
		return fmt.Errorf("encode task: %w", err)
	}
	opts := []asynq.Option{
		asynq.TaskID(tok.ID), asynq.Queue(tok.Priority.String()), asynq.Timeout(q.timeout),
		asynq.MaxRetry(math.MaxInt32), // the ledger decides when to give up
	}
	if tok.Wait > 0 {
		opts = append(opts, asynq.ProcessIn(tok.Wait))
	}
	_, err = q.client.EnqueueContext(ctx, asynq.NewTask(kind, b), opts...)
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// parse reads the token of a task. The site's own rules were applied when the
// trigger was accepted.
func parse(ctx context.Context, t *asynq.Task) (tok ledger.Token, err error) {
	queue, _ := asynq.GetQueueName(ctx)
	return parseTask(t.Type(), t.Payload(), queue)
}

func parseTask(kind string, text []byte, queue string) (tok ledger.Token, err error) {
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return tok, fmt.Errorf("decode task: %w", err)
	}
	tok.ID = p.Token
	if kind == kindWalk {
		tok.Label, err = ledger.ParseLabel(string(p.Label))
	} else {
		tok.Path, err = storage.PathRules{WellKnown: []string{"/.well-known"}}.Parse(p.Path)
	}
	if err != nil {
		return tok, fmt.Errorf("decode task: %w", err)
	}
	if tok.Priority, err = ledger.ParsePriority(queue); err != nil {
		return tok, fmt.Errorf("decode task: %w", err)
	}
	return tok, nil
}

// register names the queues to asynq, which otherwise does it once per
// process and cannot find them again in a Redis that lost its tail.
func (q *queue) register(ctx context.Context) error {
	return q.redis.SAdd(ctx, "asynq:queues", ledger.Low.String(), ledger.Default.String(), ledger.Critical.String()).Err()
}

// oldest returns the number of the longest waiting token of a queue; with none
// waiting, one that no token reaches.
func (q *queue) oldest(p ledger.Priority) (uint64, error) {
	tasks, err := q.inspector.ListPendingTasks(p.String(), asynq.PageSize(1))
	if err != nil {
		return 0, err
	}
	if len(tasks) == 0 {
		return math.MaxUint64, nil
	}
	return ledger.Token{ID: tasks[0].ID}.Number(), nil
}

// holds reports whether a task with the token still waits for a worker. One
// that is due and waits for asynq's slow clock is moved to the front.
func (q *queue) holds(s ledger.Suspect) (bool, error) {
	info, err := q.inspector.GetTaskInfo(s.Priority.String(), s.ID)
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	switch info.State {
	case asynq.TaskStatePending:
		return true, nil
	case asynq.TaskStateScheduled, asynq.TaskStateRetry:
		if s.Due {
			// It may have moved by itself meanwhile, which is as good.
			_ = q.inspector.RunTask(s.Priority.String(), s.ID)
		}
		return true, nil
	}
	// Active, not claimed in all that time, and not waiting for a slot of this
	// process: its worker died in between, or is another and busy.
	return false, nil
}
