package ledger

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/redistest"
)

func TestDown(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	cms := func(since, next int) Down {
		return Down{Upstream: "source cms", Server: "cms.example.com", Reason: "status 503",
			Since: noon.Add(time.Duration(since) * time.Second), Next: noon.Add(time.Duration(next) * time.Second)}
	}
	want := func(t *testing.T, l *Ledger, want ...Down) {
		t.Helper()
		got, err := l.Down(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("down (-want +got):\n%s", diff)
		}
	}

	t.Run("is what any process says, each server once", func(t *testing.T) {
		f, other := newFixture(t, s), new(Ledger)
		*other = Ledger{cfg: f.cfg, rdb: f.rdb, scripts: f.scripts, process: "other"}
		app := Down{Upstream: "origin app", Server: "10.0.0.1:3000", Since: noon, Next: noon, Reason: "connection refused"}
		for _, err := range []error{f.ReportDown(f.ctx, []Down{cms(5, 9)}), other.ReportDown(f.ctx, []Down{cms(1, 12), app})} {
			if err != nil {
				t.Fatal(err)
			}
		}
		want(t, f.Ledger, app, cms(1, 9))
		if err := other.ReportDown(f.ctx, nil); err != nil {
			t.Fatal(err)
		}
		want(t, f.Ledger, cms(5, 9))
	})

	t.Run("a process that died is not believed for ever", func(t *testing.T) {
		f := newFixture(t, s)
		if err := f.ReportDown(f.ctx, []Down{cms(0, 1)}); err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(downs{time.Now().Add(-2 * downFor), []Down{cms(0, 1)}})
		f.rdb.HSet(f.ctx, f.key("down"), f.process, b)
		want(t, f.Ledger)
		if ttl := f.rdb.TTL(f.ctx, f.key("down")).Val(); ttl <= 0 {
			t.Errorf("the record has the time to live %v, want one", ttl)
		}
	})
}
