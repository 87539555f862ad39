package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"rebake/storage"
)

const (
	// mostParked is how many events are kept, and mostParkedBytes what their
	// bodies may have together. The oldest are dropped then.
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
	ID      string `json:"id"`
	Webhook string `json:"webhook"` // its name in the config
	Reason  string `json:"reason"`  // why it was parked
	// Event and About are what its sender calls it, and what it is about; "" when
	// nobody can tell.
	Event string    `json:"event,omitempty"`
	About string    `json:"about,omitempty"`
	At    time.Time `json:"at"` // when
	Body  []byte    `json:"-"`  // as it came
}

// Parked is what became of an event that was to be kept.
type Parked struct {
	// Full says that it is not kept: older ones would have to be dropped for it,
	// and what they are about would never be known. Whoever has triggered every
	// page asks again with Until: the trigger stands for all that came before it.
	Full  bool
	Until Moment
	// Dropped is how many were dropped for it.
	Dropped int
}

// Moment is a time of Redis' clock, in µs; 0 is none.
type Moment int64

// Park keeps an event, instead of an earlier one of the same ID; At is set to
// now when it is zero. The newest hundred are kept, as long as their bodies have
// no more than 16 MiB; covered is Parked.Until of a call that found no room for
// it, 0 in the first one. A body of more than 1 MiB is an error.
func (l *Ledger) Park(ctx context.Context, e ParkedEvent, covered Moment) (Parked, error) {
	if len(e.Body) > mostParkedBody {
		return Parked{}, fmt.Errorf("park event %s of webhook %s: its body has %d bytes, and %d is the most that is kept", e.ID, e.Webhook, len(e.Body), mostParkedBody)
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	about, err := json.Marshal(e)
	if err != nil {
		return Parked{}, fmt.Errorf("park event %s of webhook %s: %w", e.ID, e.Webhook, err)
	}
	r, err := l.runSite(ctx, l.scripts.park, e.ID, about, e.Body, mostParked, mostParkedBytes, int64(covered))
	switch {
	case err != nil:
		return Parked{}, err
	case r.text(0) == "full":
		return Parked{Full: true, Until: Moment(r.number(1))}, nil
	}
	return Parked{Dropped: int(r.number(1))}, nil
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

// DroppedParked returns how many events of each webhook were dropped for newer
// ones, since there was last none parked.
func (l *Ledger) DroppedParked(ctx context.Context) (map[string]int64, error) {
	counts, err := l.rdb.HGetAll(ctx, l.key("parked:dropped")).Result()
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("count dropped events: %w", err))
	}
	dropped := make(map[string]int64, len(counts))
	for name, count := range counts {
		dropped[name], _ = strconv.ParseInt(count, 10, 64) // HINCRBY wrote it
	}
	return dropped, nil
}
