package signature

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// deliver is what a receiver does: the delivery is remembered when accept has
// made it durable, and not before.
func deliver(t *testing.T, v *Verifier, r *Recent, h http.Header, now time.Time, accept func() error) (double bool) {
	t.Helper()
	e, err := v.Verify(posted(h, testBody), now)
	if err != nil {
		t.Fatal(err)
	}
	if r.Seen(e.Key, now) {
		return true
	}
	if accept() == nil {
		r.Done(e.Key, now)
	}
	return false
}

func accepted() error { return nil }

func TestRecent_H37_sameDeliveryTwice(t *testing.T) {
	s := senders["Standard Webhooks"]
	v, r := mustNew(t, s.scheme, s.secret), NewRecent(0)
	for i, want := range []bool{false, true, true} {
		if double := deliver(t, v, r, s.headers, sentAt.Add(time.Duration(i)*time.Minute), accepted); double != want {
			t.Errorf("delivery %d is a double: %v, want %v", i, double, want)
		}
	}
}

func TestRecent_H37_retryWithANewTimestamp(t *testing.T) {
	v, r := mustNew(t, standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), NewRecent(0)
	for i := range 3 {
		if deliver(t, v, r, signedAt(v, after(int64(i))), sentAt, accepted) {
			t.Errorf("try %d is taken for a double", i)
		}
	}
}

func TestRecent_H37_retryAfterAnAcceptThatFailed(t *testing.T) {
	s := senders["Standard Webhooks"]
	v, r := mustNew(t, s.scheme, s.secret), NewRecent(0)
	deliver(t, v, r, s.headers, sentAt, func() error { return http.ErrServerClosed })
	if deliver(t, v, r, s.headers, sentAt, accepted) {
		t.Error("the retry is taken for a double, and the event is lost")
	}
}

func TestRecent_H37_remembersAsLongAsASignatureHolds(t *testing.T) {
	s := senders["Standard Webhooks"]
	v, r := mustNew(t, s.scheme, s.secret), NewRecent(0)
	early, late := sentAt.Add(-300*time.Second), sentAt.Add(299*time.Second) // by our clock
	deliver(t, v, r, s.headers, early, accepted)
	if !deliver(t, v, r, s.headers, late, accepted) {
		t.Error("a replay is new again while its signature still holds")
	}
}

// TestRecent_withoutIDs is about senders without ids: the same body twice may
// be two edits.
func TestRecent_withoutIDs(t *testing.T) {
	s := senders["base64"]
	v, r := mustNew(t, s.scheme, s.secret), NewRecent(0)
	for range 2 {
		e, err := v.Verify(posted(s.headers, s.body), sentAt)
		if err != nil || r.Seen(e.Key, sentAt) {
			t.Errorf("%v; an event without an id is taken for a double", err)
		}
		r.Done(e.Key, sentAt)
	}
}

func TestRecent_isBounded(t *testing.T) {
	r := NewRecent(0)
	for i := range 2 * mostRecent {
		r.Done(strconv.Itoa(i), sentAt)
	}
	if n := r.keys.Len(); n != mostRecent {
		t.Errorf("%d deliveries are remembered, want %d", n, mostRecent)
	}
}
