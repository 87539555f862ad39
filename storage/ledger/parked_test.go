package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/redistest"
)

func (f *fixture) mustPark(e ParkedEvent) {
	f.t.Helper()
	if err := f.Park(f.ctx, e); err != nil {
		f.t.Fatal(err)
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

func TestPark_DropsTheOldest(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("of too many", func(t *testing.T) {
		f := newFixture(t, s)
		for i := range mostParked + 3 {
			f.mustPark(ParkedEvent{ID: fmt.Sprint(i)})
		}
		ids := f.parkedIDs(2 * mostParked)
		if len(ids) != mostParked || ids[mostParked-1] != "3" {
			t.Errorf("%d are parked, %q the oldest; want %d, from 3 on", len(ids), ids[len(ids)-1], mostParked)
		}
	})

	t.Run("of too many bytes", func(t *testing.T) {
		f := newFixture(t, s)
		body := []byte(strings.Repeat("x", mostParkedBody))
		for i := range 20 {
			f.mustPark(ParkedEvent{ID: fmt.Sprint(i), Body: body})
		}
		if n, want := f.countParked(), int64(mostParkedBytes/mostParkedBody); n != want {
			t.Errorf("%d are parked, want %d", n, want)
		}
		if n := f.rdb.HLen(f.ctx, f.key("parked:body")).Val(); n != f.countParked() {
			t.Errorf("%d bodies are kept of %d events", n, f.countParked())
		}
	})
}

func TestPark_RefusesABodyThatIsTooLong(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	err := f.Park(f.ctx, ParkedEvent{ID: "7", Webhook: "cms", Body: make([]byte, mostParkedBody+1)})
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
