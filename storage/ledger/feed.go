package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// Event tells that a run came to its end.
type Event struct {
	Kind   Outcome
	Path   storage.Path
	ID     uint64 // newest trigger that the run had seen
	At     time.Time
	Ran    time.Duration // from claim to end
	Waited time.Duration // from the oldest unmet trigger to the end
	Reason string        // of the newest trigger
	Error  string        // of a failure
}

// feedBlock is how long one read waits for events. The client does not break
// off a read when its context ends, so it is also how long a stop may take.
const feedBlock = 200 * time.Millisecond

// Feed passes the ledger's events, from all processes, to whoever in this one
// listens. A listener that is slow misses events, so an event may only ever be
// a hint to read the state.
type Feed struct {
	ledger *Ledger

	mu        sync.Mutex
	listeners map[chan Event]struct{} // guarded by mu
}

// Feed returns a feed, which is silent until it is run.
func (l *Ledger) Feed() *Feed { return &Feed{ledger: l, listeners: make(map[chan Event]struct{})} }

// Subscribe returns the events from now on, and how to end that.
func (f *Feed) Subscribe(buffer int) (<-chan Event, func()) {
	c := make(chan Event, buffer)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners[c] = struct{}{}
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners, c)
	}
}

// Run reads the stream until ctx is done. While Redis is away it waits and
// goes on with what has come meanwhile.
func (f *Feed) Run(ctx context.Context) error {
	last := ""
	for ctx.Err() == nil {
		var err error
		if last == "" {
			last, err = f.newest(ctx)
		}
		if err == nil {
			last, err = f.read(ctx, last)
		}
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	return nil
}

func (f *Feed) newest(ctx context.Context) (string, error) {
	list, err := f.ledger.rdb.XRevRangeN(ctx, f.ledger.key("events"), "+", "-", 1).Result()
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "0", nil
	}
	return list[0].ID, nil
}

func (f *Feed) read(ctx context.Context, last string) (string, error) {
	streams, err := f.ledger.rdb.XRead(ctx, &redis.XReadArgs{
		Streams: []string{f.ledger.key("events"), last}, Count: 256, Block: feedBlock,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return last, nil
	}
	if err != nil {
		return last, fmt.Errorf("read events: %w", err)
	}
	for _, s := range streams {
		for _, m := range s.Messages {
			last = m.ID
			if e, err := parseEvent(m); err == nil {
				f.send(e)
			}
		}
	}
	return last, nil
}

func (f *Feed) send(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.listeners {
		select {
		case c <- e:
		default:
		}
	}
}

func parseEvent(m redis.XMessage) (Event, error) {
	v := make(fields, len(m.Values))
	for name, value := range m.Values {
		v[name] = fmt.Sprint(value)
	}
	p, err := parsePath(v["path"])
	if err != nil {
		return Event{}, err
	}
	stamp, _, _ := strings.Cut(m.ID, "-")
	at, _ := strconv.ParseInt(stamp, 10, 64)
	return Event{
		Kind: Outcome(v["kind"]), Path: p, ID: uint64(v.number("id")), At: time.UnixMilli(at),
		Ran:    time.Duration(v.number("ran")) * time.Millisecond,
		Waited: time.Duration(v.number("waited")) * time.Millisecond,
		Reason: v["why"], Error: v["err"],
	}, nil
}
