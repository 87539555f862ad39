package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"rebake/storage"
)

const (
	// mostParked is how many events are kept, and mostParkedBytes what their
	// bodies may have together. The oldest are dropped.
	mostParked      = 100
	mostParkedBytes = 16 << 20
	// mostParkedBody is the most bytes of one body.
	mostParkedBody = 1 << 20
	// parkedRepeat is how long a request may be repeated after a lost reply.
	parkedRepeat = time.Minute
)

// ParkedEvent is an event of a CMS that was accepted, and of which nobody could
// tell what it is about. A person has to look at it.
type ParkedEvent struct {
	ID      string    `json:"id"`
	Webhook string    `json:"webhook"` // its name in the config
	Reason  string    `json:"reason"`  // why it was parked
	At      time.Time `json:"at"`      // when
	Body    []byte    `json:"-"`       // as it came
}

// Park keeps an event, instead of an earlier one of the same ID; At is set to
// now when it is zero. The newest hundred are kept, as long as their bodies have
// no more than 16 MiB. A body of more than 1 MiB is an error.
func (l *Ledger) Park(ctx context.Context, e ParkedEvent) error {
	if len(e.Body) > mostParkedBody {
		return fmt.Errorf("park event %s of webhook %s: its body has %d bytes, and %d is the most that is kept", e.ID, e.Webhook, len(e.Body), mostParkedBody)
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	about, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("park event %s of webhook %s: %w", e.ID, e.Webhook, err)
	}
	_, err = l.runSite(ctx, l.scripts.park, e.ID, about, e.Body, mostParked, mostParkedBytes)
	return err
}

// ParkedEvents returns the events that are parked, at most limit, the newest
// first.
func (l *Ledger) ParkedEvents(ctx context.Context, limit int) ([]ParkedEvent, error) {
	if limit <= 0 {
		return nil, nil
	}
	ids, err := l.rdb.ZRevRange(ctx, l.key("parked:at"), 0, int64(limit)-1).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("read parked events: %w", err))
	}
	return l.parked(ctx, ids)
}

// parked reads events; one that was taken out meanwhile is left out.
func (l *Ledger) parked(ctx context.Context, ids []string) (list []ParkedEvent, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := l.rdb.TxPipeline()
	abouts, bodies := pipe.HMGet(ctx, l.key("parked"), ids...), pipe.HMGet(ctx, l.key("parked:body"), ids...)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, storage.Temporary(fmt.Errorf("read parked events: %w", err))
	}
	for i, body := range bodies.Val() {
		var e ParkedEvent
		about, _ := abouts.Val()[i].(string)
		if json.Unmarshal([]byte(about), &e) != nil {
			continue
		}
		text, _ := body.(string)
		e.Body = []byte(text)
		list = append(list, e)
	}
	return list, nil
}

// TakeParked takes an event out. False says that there is none of this ID, or
// that somebody else has it.
func (l *Ledger) TakeParked(ctx context.Context, id string) (e ParkedEvent, ok bool, err error) {
	list, err := l.parked(ctx, []string{id})
	if err != nil || len(list) == 0 {
		return e, false, err
	}
	r, err := l.unpark(ctx, id, l.nonce())
	if err != nil || r.text(0) != "ok" {
		return e, false, err
	}
	return list[0], true, nil
}

func (l *Ledger) unpark(ctx context.Context, id, nonce string) (reply, error) {
	return l.runSite(ctx, l.scripts.unpark, id, nonce, ms(parkedRepeat))
}

// CountParked returns how many events are parked.
func (l *Ledger) CountParked(ctx context.Context) (int64, error) {
	n, err := l.rdb.ZCard(ctx, l.key("parked:at")).Result()
	if err != nil {
		return 0, storage.Temporary(fmt.Errorf("count parked events: %w", err))
	}
	return n, nil
}
