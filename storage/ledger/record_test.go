package ledger

import (
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"rebake/storage/redistest"
)

func zero(member string) redis.Z { return redis.Z{Member: member} }

func scored(member string, score int64) redis.Z {
	return redis.Z{Member: member, Score: float64(score)}
}

func TestRecord_isBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	r := Record{ID: 7, Reason: "test"}
	for i := range mostRecorded + 5 {
		r.Paths = append(r.Paths, RecordedPath{fmt.Sprintf("/%d", i), 7})
	}
	if err := f.SaveRecord(f.ctx, r); err != nil {
		t.Fatal(err)
	}
	got, ok, err := f.Record(f.ctx, 7)
	if err != nil || !ok || len(got.Paths) != mostRecorded || got.More != 5 || got.Reason != "test" {
		t.Errorf("record = %d paths and %d more, %v, %v", len(got.Paths), got.More, ok, err)
	}
	if ttl := f.rdb.TTL(f.ctx, f.recordKey(7)).Val(); ttl <= 0 || ttl > keepRecord {
		t.Errorf("it is kept for %v", ttl)
	}
	if _, ok, err := f.Record(f.ctx, 8); ok || err != nil {
		t.Errorf("record of another trigger = %v, %v", ok, err)
	}
}

// wantProgress checks how far a trigger has come, and whose turn it is.
func (f *fixture) wantProgress(r Record, want Progress, unmet ...string) {
	f.t.Helper()
	var names []string
	got, err := f.Progress(f.ctx, r, func(s State) { names = append(names, s.Path.String()) })
	if err != nil || got != want || !slices.Equal(names, unmet) {
		f.t.Errorf("progress = %+v, unmet %v, %v; want %+v, %v", got, names, err, want, unmet)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("of paths", func(t *testing.T) {
		f := newFixture(t, s)
		a, b, c := path(t, "/a"), path(t, "/b"), path(t, "/c")
		r := Record{Paths: []RecordedPath{
			{"/a", f.mustTrigger(a, Low).ID}, {"/b", f.mustTrigger(b, Low).ID}, {"/c", f.mustTrigger(c, Low).ID},
		}}
		f.wantProgress(r, Progress{Waiting: 3}, "/a", "/b", "/c")
		f.mustFinish(f.mustSeize(a), Published, "a")
		f.mustFail(f.mustSeize(b), Retrying, confirmGone)
		f.wantProgress(r, Progress{Met: 1, Failed: 1, Waiting: 1}, "/b", "/c")
		f.mustFinish(f.mustSeize(c), Removed, "") // it never was a page
		f.wantProgress(r, Progress{Met: 2, Failed: 1}, "/b")
	})

	t.Run("of a label ends with its walk", func(t *testing.T) {
		f := threePages(t, s)
		rec := f.mustLabel(Site, Low)
		r := Record{Labels: []RecordedLabel{{Site, rec.ID}}}
		f.wantProgress(r, Progress{Waiting: 3, Walking: true}, "/a", "/b", "/c")
		walk := f.mustClaimWalk(*rec.Token)
		f.mustNext(walk, 10)
		for _, name := range []string{"/a", "/b"} {
			f.mustFinish(f.mustTake(path(t, name), Bulk{Number: walk.Number}), Unchanged, name)
		}
		f.wantProgress(r, Progress{Met: 2, Waiting: 1, Walking: true}, "/c")
		last := f.mustTake(path(t, "/c"), Bulk{Number: walk.Number})
		f.mustAdvance(walk)
		f.mustEnd(walk)
		f.wantProgress(r, Progress{Met: 2, Waiting: 1}, "/c")
		f.mustFinish(last, Unchanged, "/c")
		f.wantProgress(r, Progress{Met: 3})
	})
}
