package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"rebake/storage/ledger"
)

// Event is the data of one event of GET /v1/events; its kind is the event's
// name, too.
type Event struct {
	Kind     ledger.Outcome `json:"kind"`
	Path     string         `json:"path"`
	ID       string         `json:"id"` // newest trigger that the run had seen
	At       time.Time      `json:"at"`
	RanMS    int64          `json:"ran_ms"`
	WaitedMS int64          `json:"waited_ms"`
	Reason   string         `json:"reason,omitempty"`
	Error    string         `json:"error,omitempty"`
}

const (
	heartbeat = 15 * time.Second
	// eventBuffer is how far a listener may lag before it misses events.
	eventBuffer = 1024
)

// events tells what happens from now on, until the caller or the server goes.
// It promises no event: who has to know reads the state.
func (a *API) events(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // that of the request would end it
	list, unsubscribe := a.site.Subscribe(eventBuffer)
	defer unsubscribe()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	send := func(format string, args ...any) bool {
		_ = rc.SetWriteDeadline(time.Now().Add(heartbeat))
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && rc.Flush() == nil
	}
	if !send(": from now on\n\n") {
		return
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for ok := true; ok; {
		select {
		case e := <-list:
			b, _ := json.Marshal(newEvent(e)) // texts and numbers cannot fail
			ok = send("event: %s\nid: %d\ndata: %s\n\n", e.Kind, e.ID, b)
		case <-tick.C:
			ok = send(": still here\n\n")
		case <-r.Context().Done():
			return
		case <-stopping(r):
			return
		}
	}
}

func newEvent(e ledger.Event) Event {
	return Event{
		Kind: e.Kind, Path: e.Path.String(), ID: strconv.FormatUint(e.ID, 10), At: e.At,
		RanMS: e.Ran.Milliseconds(), WaitedMS: e.Waited.Milliseconds(), Reason: e.Reason, Error: e.Error,
	}
}
