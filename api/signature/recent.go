package signature

import (
	"time"

	"rebake/api/bounded"
)

// mostRecent bounds the deliveries that are remembered.
const mostRecent = 10_000

// Recent remembers deliveries that are done with, in memory: after a restart,
// or when there were very many, one that is sent again costs a render. Safe for
// concurrent use.
type Recent struct {
	keys *bounded.Map[string, struct{}]
}

// NewRecent remembers each delivery for as long as its signature can be sent
// again: twice the tolerance, since a timestamp may lie ahead of our clock. A
// tolerance that is not positive takes a signature at any time, and nothing is
// remembered for ever: then it is as long as by default, and what is sent again
// later costs a render.
func NewRecent(tolerance time.Duration) *Recent {
	if tolerance <= 0 {
		tolerance = defaultTolerance
	}
	return &Recent{bounded.New[string, struct{}](mostRecent, 2*tolerance)}
}

// Seen reports whether a delivery was done with before. One without a key never
// was.
func (r *Recent) Seen(key string, now time.Time) bool {
	_, ok := r.keys.Get(key, now)
	return ok && key != ""
}

// Done remembers a delivery. It is to be called when what came of it is
// durable: called before, a crash between the two would lose the event, since
// the sender's next try would be taken for a double.
func (r *Recent) Done(key string, now time.Time) {
	if key != "" {
		r.keys.Put(key, struct{}{}, now)
	}
}
