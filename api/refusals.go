package api

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// RefusedEvents says that a webhook turns its sender away.
type RefusedEvents struct {
	Webhook  string    `json:"webhook"`
	Requests int64     `json:"requests"`
	Last     time.Time `json:"last"`
	Reason   string    `json:"reason"` // of the last one; holds no secret, and nothing of the sender's
}

// refusedFor is how long it is told.
const refusedFor = time.Hour

// refusals counts what webhooks refuse, until they have refused nothing for
// refusedFor. Safe for concurrent use.
type refusals struct {
	mu sync.Mutex
	of map[string]RefusedEvents // by the webhook's name
}

func newRefusals() *refusals { return &refusals{of: make(map[string]RefusedEvents)} }

func (r *refusals) add(webhook, reason string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.of[webhook]
	if now.Sub(e.Last) > refusedFor {
		e.Requests = 0
	}
	r.of[webhook] = RefusedEvents{webhook, e.Requests + 1, now, reason}
}

// list returns those of late, sorted by their names.
func (r *refusals) list(now time.Time) []RefusedEvents {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.of, func(_ string, e RefusedEvents) bool { return now.Sub(e.Last) > refusedFor })
	return slices.SortedFunc(maps.Values(r.of), func(a, b RefusedEvents) int { return strings.Compare(a.Webhook, b.Webhook) })
}
