// Package bounded remembers what strangers make up: no more than so many
// entries, and none for longer than so long, however many they send. What was
// used least lately is forgotten first.
package bounded

import (
	"container/list"
	"sync"
	"time"
)

// Map remembers a value for each key. Safe for concurrent use.
type Map[K comparable, V any] struct {
	most int
	ttl  time.Duration

	mu      sync.Mutex
	entries map[K]*list.Element // guarded by mu
	order   *list.List          // guarded by mu; of *entry, the one used last in front
}

type entry[K comparable, V any] struct {
	key   K
	value V
	until time.Time
}

// New returns a map of at most most entries, at least one. Each is forgotten
// ttl after it was last put.
func New[K comparable, V any](most int, ttl time.Duration) *Map[K, V] {
	return &Map[K, V]{most: max(1, most), ttl: ttl, entries: make(map[K]*list.Element), order: list.New()}
}

// Get returns the value of a key that is remembered at now.
func (m *Map[K, V]) Get(key K, now time.Time) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.entries[key]
	if !ok {
		return value, false
	}
	e := at.Value.(*entry[K, V])
	if !now.Before(e.until) {
		m.forget(at)
		return value, false
	}
	m.order.MoveToFront(at)
	return e.value, true
}

// Put remembers a value from now on, in the place of the key's old one.
func (m *Map[K, V]) Put(key K, value V, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.entries[key]; ok {
		m.forget(at)
	}
	m.entries[key] = m.order.PushFront(&entry[K, V]{key, value, now.Add(m.ttl)})
	if m.order.Len() > m.most {
		m.forget(m.order.Back())
	}
}

// Len returns how many entries there are, those included whose time is over
// and that nobody has asked for since.
func (m *Map[K, V]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.order.Len()
}

// forget needs mu.
func (m *Map[K, V]) forget(at *list.Element) {
	delete(m.entries, m.order.Remove(at).(*entry[K, V]).key)
}
