package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/redistest"
)

func (f *fixture) park(e ParkedEvent, covered Moment) Parked {
	f.t.Helper()
	r, err := f.Park(f.ctx, e, covered)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func (f *fixture) mustPark(e ParkedEvent) {
	f.t.Helper()
	if r := f.park(e, 0); r.Full {
		f.t.Fatalf("%s is not kept", e.ID)
	}
}

func (f *fixture) parkedIDs(limit int) (ids []string) {
	f.t.Helper()
	list, err := f.ParkedEvents(f.ctx, limit)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}

func (f *fixture) countParked() int64 {
	f.t.Helper()
	n, err := f.CountParked(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func TestPark_KeepsAnEventAsItCame(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	want := ParkedEvent{ID: "1", Webhook: "cms", Reason: "rule 2: no slug", At: time.UnixMilli(1_700_000_000_000).UTC(), Body: []byte("{\"a\":\x00\xff}")}
	f.mustPark(want)
	list, err := f.ParkedEvents(f.ctx, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ParkedEvent{want}, list); diff != "" {
		t.Errorf("parked (-want +got):\n%s", diff)
	}
}

func TestParkedEvents_NewestFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	for _, id := range []string{"a", "c", "b", "a"} {
		f.mustPark(ParkedEvent{ID: id})
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, f.parkedIDs(10)); diff != "" {
		t.Errorf("parked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, f.parkedIDs(2)); diff != "" {
		t.Errorf("two of them (-want +got):\n%s", diff)
	}
	if n := f.countParked(); n != 3 {
		t.Errorf("count = %d, want 3", n)
	}
}

// fill parks events until there is no room, and returns how many there was room
// for.
func (f *fixture) fill(body []byte) int {
	f.t.Helper()
	for i := range 2 * mostParked {
		if f.park(ParkedEvent{ID: fmt.Sprint(i), Webhook: "cms", Body: body}, 0).Full {
			return i
		}
	}
	f.t.Fatal("there is always room")
	return 0
}

func TestPark_HasNoRoom(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for name, c := range map[string]struct {
		body []byte
		want int
	}{
		"for too many":       {nil, mostParked},
		"for too many bytes": {[]byte(strings.Repeat("x", mostParkedBody)), mostParkedBytes / mostParkedBody},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, s)
			if n := f.fill(c.body); n != c.want || f.countParked() != int64(n) {
				t.Errorf("there is room for %d, %d are parked; want %d", n, f.countParked(), c.want)
			}
			f.mustPark(ParkedEvent{ID: "0", Body: c.body}) // in its own place
		})
	}
}

// A trigger of all pages makes room, once for each event that came before it.
func TestPark_DropsTheOldest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	next := f.fill(nil)
	full := f.park(ParkedEvent{ID: "new", Webhook: "cms"}, 0)
	for range mostParked {
		if r := f.park(ParkedEvent{ID: fmt.Sprint(next), Webhook: "cms"}, full.Until); r.Full || r.Dropped != 1 {
			t.Fatalf("event %d: %+v", next, r)
		}
		next++
	}
	if ids := f.parkedIDs(2 * mostParked); len(ids) != mostParked || ids[mostParked-1] != fmt.Sprint(mostParked) {
		t.Errorf("%d are parked, %q the oldest", len(ids), ids[len(ids)-1])
	}
	if n := f.rdb.HLen(f.ctx, f.key("parked:body")).Val(); n != mostParked {
		t.Errorf("%d bodies are kept", n)
	}
	if r := f.park(ParkedEvent{ID: "new", Webhook: "cms"}, 0); !r.Full || r.Until <= full.Until {
		t.Errorf("an event that came after the trigger is dropped: %+v", r)
	}
	if dropped, err := f.DroppedParked(f.ctx); err != nil || dropped["cms"] != mostParked || len(dropped) != 1 {
		t.Errorf("dropped: %v, %v", dropped, err)
	}
}

func TestPark_DropsSeveralForALargeOne(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	half := []byte(strings.Repeat("x", mostParkedBody/2))
	f.fill(half)
	large := ParkedEvent{ID: "large", Body: append(half, half...)}
	if r := f.park(large, f.park(large, 0).Until); r.Full || r.Dropped != 2 {
		t.Errorf("parked as %+v, want 2 dropped", r)
	}
}

// With the last of them, nobody needs to know of those that were dropped.
func TestTakeParked_ForgetsTheDropped(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.fill(nil)
	f.park(ParkedEvent{ID: "new"}, f.park(ParkedEvent{ID: "new"}, 0).Until)
	for _, id := range f.parkedIDs(2 * mostParked) {
		if dropped, err := f.DroppedParked(f.ctx); err != nil || len(dropped) != 1 {
			t.Fatalf("dropped: %v, %v", dropped, err)
		}
		if _, ok, err := f.TakeParked(f.ctx, id); !ok || err != nil {
			t.Fatalf("take %s: %v, %v", id, ok, err)
		}
	}
	if dropped, err := f.DroppedParked(f.ctx); err != nil || len(dropped) != 0 {
		t.Errorf("dropped: %v, %v", dropped, err)
	}
}

func TestPark_RefusesABodyThatIsTooLong(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	_, err := f.Park(f.ctx, ParkedEvent{ID: "7", Webhook: "cms", Body: make([]byte, mostParkedBody+1)}, 0)
	if want := "park event 7 of webhook cms: its body has 1048577 bytes, and 1048576 is the most that is kept"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %q", err, want)
	}
}

func TestTakeParked(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("takes an event out, once", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPark(ParkedEvent{ID: "1", Body: []byte("x")})
		if e, ok, err := f.TakeParked(f.ctx, "1"); string(e.Body) != "x" || !ok || err != nil {
			t.Errorf("take = %+v, %v, %v; want the event", e, ok, err)
		}
		if _, ok, err := f.TakeParked(f.ctx, "1"); ok || err != nil {
			t.Errorf("second take = %v, %v; want none", ok, err)
		}
		if n := f.countParked(); n != 0 {
			t.Errorf("%d are parked still", n)
		}
	})

	t.Run("of two who try at once one has it", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPark(ParkedEvent{ID: "1"})
		for _, c := range []struct{ nonce, want string }{{"a", "ok"}, {"b", "none"}, {"a", "ok"}} { // a's reply was lost
			if r, err := f.unpark(f.ctx, "1", c.nonce); err != nil || r.text(0) != c.want {
				t.Errorf("%s takes it: %v, %v; want %s", c.nonce, r, err, c.want)
			}
		}
	})
}
