// Package budget bounds the bytes that renders hold at once, whatever their
// number: sixteen pages of ten megabytes take their turns, sixteen of ten
// kilobytes do not notice.
//
// Nobody knows how large a render will be, so a claim begins small, or with
// what the page took the last time, and grows with its buffers. Only to begin
// is waited for. Growing never waits: it is refused while others hold what is
// missing, and the render is then to let go of all that it has, and to begin
// again with a claim of several times the size. That cannot deadlock, since
// nobody waits for bytes while he holds any; and it comes to an end, since one
// who is alone may always go on, and a claim of the whole budget is alone.
//
// It counts what it is told. What the garbage collector has not found yet, and
// what a program needs besides its pages, come on top.
package budget

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrFull refuses to let a claim grow. Claim.Next says what to begin again
// with.
var ErrFull = errors.New("no memory is free for it now")

// Least is the smallest claim, and the smallest step by which one grows, in
// bytes: more than most pages need.
const Least = 256 << 10

// guess is how much larger the next claim is than the one that was too small. A
// render that is refused has seldom come further than its first buffer.
const guess = 4

// Budget is safe for concurrent use.
type Budget struct {
	mu      sync.Mutex
	general pool      // guarded by mu
	reserve pool      // guarded by mu; for urgent claims alone
	waiting []*waiter // guarded by mu; the urgent ones first, then in their order
}

// pool is a part of the budget.
type pool struct{ size, used int64 }

type waiter struct {
	bytes   int64
	urgent  bool
	granted chan *Claim // has room for the one that it gets
}

// New makes a budget of so many bytes, of which an eighth is kept for urgent
// claims: an edit does not wait for a bulk of large pages.
func New(bytes int64) *Budget {
	return &Budget{general: pool{size: bytes - bytes/8}, reserve: pool{size: bytes / 8}}
}

// Claim is what one render may hold. Its methods may be called from several
// goroutines.
type Claim struct {
	budget *Budget
	pool   *pool
	held   int64 // guarded by budget.mu
	needed int64 // guarded by budget.mu; at most held, but for one that was refused
	next   int64 // guarded by budget.mu; 0 as long as it was not refused
}

// Claim waits until so many bytes are free, and returns the claim to them.
// What is more than the whole budget counts as that.
func (b *Budget) Claim(ctx context.Context, bytes int64, urgent bool) (*Claim, error) {
	w := &waiter{bytes: min(max(bytes, Least), b.general.size), urgent: urgent, granted: make(chan *Claim, 1)}
	b.mu.Lock()
	at := len(b.waiting)
	if urgent {
		at = 0
		for at < len(b.waiting) && b.waiting[at].urgent {
			at++
		}
	}
	b.waiting = slices.Insert(b.waiting, at, w)
	b.grant()
	b.mu.Unlock()
	select {
	case c := <-w.granted:
		return c, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting, w); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
		b.grant() // it may have stood before others that fit
		return nil, context.Cause(ctx)
	}
	return <-w.granted, nil // it came in the same moment
}

// grant lets in who comes first, as long as there is room; mu is held.
func (b *Budget) grant() {
	for len(b.waiting) > 0 {
		w := b.waiting[0]
		p := &b.general
		if !p.has(w.bytes) && p.used > 0 {
			if p = &b.reserve; !w.urgent || !p.has(w.bytes) {
				return
			}
		}
		p.used += w.bytes
		b.waiting = b.waiting[1:]
		w.granted <- &Claim{budget: b, pool: p, held: w.bytes}
	}
}

func (p *pool) has(bytes int64) bool { return p.used+bytes <= p.size }

// Grow says that the render is about to hold so many bytes more, or that it
// has let go of some when they are less than zero; those stay claimed, for what
// is still to come. It does not wait. After ErrFull the render has to end.
func (c *Claim) Grow(bytes int64) error {
	b := c.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	c.needed += bytes
	missing := c.needed - c.held
	if missing <= 0 {
		return nil
	}
	alone := c.pool == &b.general && c.pool.used == c.held
	step := max(missing, Least, c.held/4) // not one by one
	if !alone && !c.pool.has(step) {
		step = missing
	}
	if !alone && !c.pool.has(step) {
		c.next = b.larger(max(c.needed, c.held))
		return ErrFull
	}
	c.pool.used += step
	c.held += step
	return nil
}

// larger returns what to claim when so many bytes were too few. Below the whole
// budget it leaves some for the small pages beside it, which would have to end
// otherwise before it can begin; mu is held.
func (b *Budget) larger(bytes int64) int64 {
	most := b.general.size / 4 * 3
	if bytes >= most {
		return b.general.size
	}
	return min(guess*bytes, most)
}

// Next returns how many bytes to claim when the render begins again, 0 when it
// was never refused any.
func (c *Claim) Next() int64 {
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	return c.next
}

// Release gives all of it back. It is called once.
func (c *Claim) Release() {
	b := c.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	c.pool.used -= c.held
	b.grant()
}

// key is that of a claim in a context.
type key struct{}

// With makes c the claim of what is done under the context.
func With(ctx context.Context, c *Claim) context.Context { return context.WithValue(ctx, key{}, c) }

// Grow grows the claim of ctx. Where there is none nothing is counted: not
// everything is a render.
func Grow(ctx context.Context, bytes int64) error {
	if c, ok := ctx.Value(key{}).(*Claim); ok {
		return c.Grow(bytes)
	}
	return nil
}
