package daemon

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestMemoryQueue_TakesManyCommandsAtOnce(t *testing.T) {
	q, err := memoryQueue()
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	pipe := q.client.Pipeline()
	for range 500 {
		pipe.Echo(t.Context(), strings.Repeat("x", 2_000))
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMemoryQueue_IsNobodyElses(t *testing.T) {
	q, err := memoryQueue()
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	stranger := redis.NewClient(&redis.Options{Addr: q.client.Options().Addr, Protocol: 2})
	defer stranger.Close()
	if err := stranger.Get(t.Context(), "key").Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
		t.Errorf("a stranger is answered %v, want NOAUTH", err)
	}
}
