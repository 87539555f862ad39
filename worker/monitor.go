package worker

import (
	"net/http"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"
)

// Monitor returns asynqmon, which shows the queues and their tasks, and lets
// nobody change them: what a page is owed stands in the ledger, and a task
// deleted by hand comes back. It asks nobody for a password. Its pages have to
// be at the root of their host. Safe for concurrent use; the client stays the
// caller's.
func Monitor(rdb redis.UniversalClient) http.Handler {
	monitor := asynqmon.New(asynqmon.Options{RedisConnOpt: sharedClient{rdb}, ReadOnly: true})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		// Its page asks for fonts elsewhere, and does without them.
		h.Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "+
			"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		monitor.ServeHTTP(w, r)
	})
}

// sharedClient gives asynq a client that is there already.
type sharedClient struct{ redis.UniversalClient }

// MakeRedisClient has the form of asynq.RedisConnOpt.
func (c sharedClient) MakeRedisClient() any { return c.UniversalClient }

var _ asynq.RedisConnOpt = sharedClient{}
