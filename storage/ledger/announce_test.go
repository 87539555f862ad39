package ledger

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/redistest"
)

func (f *fixture) mustAnnounce(item, version string) {
	f.t.Helper()
	if err := f.Announce(f.ctx, item, version); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) announced(items ...string) map[string]Announced {
	f.t.Helper()
	all, err := f.Announced(f.ctx, items)
	if err != nil {
		f.t.Fatal(err)
	}
	return all
}

func TestAnnounce_KeepsTheNewestVersion(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for _, c := range []struct {
		name        string
		first, then string
		want        string
	}{
		{"a newer time replaces", "2026-11-23T10:00:00", "2026-11-23T10:00:01Z", "2026-11-23T10:00:01Z"},
		{"an older time does not", "2026-11-23T10:00:00", "2026-11-23T09:59:59", "2026-11-23T10:00:00"},
		{"a newer number replaces", "9", "10", "10"},
		{"an older number does not", "10", "9", "10"},
		{"the same time in another form does not", "2026-11-23T10:00:00", "2026-11-23T11:00:00+01:00", "2026-11-23T10:00:00"},
		{"what does not compare replaces", "rev-a", "rev-b", "rev-b"},
		{"a version with spaces is kept whole", "a", "b c\nd", "b c\nd"},
		{"no version is none", "7", "", "7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, s)
			f.mustAnnounce("post:1", c.first)
			f.mustAnnounce("post:1", c.then)
			if got := f.announced("post:1")["post:1"].Version; got != c.want {
				t.Errorf("version = %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnnounce_ByManyAtOnceKeepsTheNewest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if err := f.Announce(f.ctx, "post:1", fmt.Sprint(i*7%40)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := f.announced("post:1")["post:1"].Version; got != "39" {
		t.Errorf("version = %q, want 39", got)
	}
}

func TestAnnounce_TheSameAgainDoesNotBeginAnew(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustAnnounce("post:1", "7")
	f.elapse(time.Minute)
	before := f.announced("post:1")["post:1"].At
	f.mustAnnounce("post:1", "7")
	if got := f.announced("post:1")["post:1"].At; !got.Equal(before) {
		t.Errorf("announced at %v, want %v as the first time", got, before)
	}
}

func TestAnnounced_TellsOnlyOfWhatIsAsked(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustAnnounce("post:1", "7")
	f.mustAnnounce("post:2", "8")
	all := f.announced("post:3", "post:2")
	if len(all) != 1 || all["post:2"].Version != "8" {
		t.Errorf("announced = %v, want post:2 alone", all)
	}
	now, err := f.rdb.Time(f.ctx).Result()
	if err != nil {
		t.Fatal(err)
	}
	f.wantWait("time since it was announced", time.Second-now.Sub(all["post:2"].At), time.Second)
}

func TestAnnounced_OfNothingAsksNobody(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	_ = f.rdb.Close()
	if all, err := f.Announced(f.ctx, nil); len(all) != 0 || err != nil {
		t.Errorf("announced = %v, %v; want nothing", all, err)
	}
}

func TestAnnounced_ForgetsAfterAnHour(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustAnnounce("post:1", "9")
	f.elapse(keepAnnounced - time.Minute)
	f.mustAnnounce("post:2", "9")
	f.elapse(2 * time.Minute)
	if all := f.announced("post:1", "post:2"); len(all) != 1 || all["post:2"].Version != "9" {
		t.Errorf("announced = %v, want post:2 alone", all)
	}
	f.mustAnnounce("post:1", "8") // an older one than an hour ago
	if got := f.announced("post:1")["post:1"].Version; got != "8" {
		t.Errorf("version = %q, want 8", got)
	}
	f.elapse(2 * keepAnnounced)
	if keys := f.keys("announced*"); len(keys) > 0 {
		t.Errorf("keys left = %v, want none", keys)
	}
}

func TestAnnounce_DropsWhatIsTooOldOrTooMuch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	pipe := f.rdb.Pipeline()
	for i := range mostAnnounced {
		item := fmt.Sprint("post:", i)
		pipe.HSet(f.ctx, f.key("announced"), item, fmt.Sprint(time.Now().UnixMilli()+int64(i), " 1"))
		pipe.ZAdd(f.ctx, f.key("announced:at"), scored(item, time.Now().UnixMilli()+int64(i)))
	}
	pipe.HSet(f.ctx, f.key("announced"), "old", "1 1")
	pipe.ZAdd(f.ctx, f.key("announced:at"), scored("old", 1))
	pipe.HSet(f.ctx, f.key("announced:owed"), "old", 1)
	if _, err := pipe.Exec(f.ctx); err != nil {
		t.Fatal(err)
	}
	f.elapse(time.Minute) // the newest of them is ahead of the clock
	f.mustAnnounce("new", "1")
	if n := f.rdb.HLen(f.ctx, f.key("announced")).Val(); n != mostAnnounced {
		t.Errorf("%d are kept, want %d", n, mostAnnounced)
	}
	if all := f.announced("old", "post:0", "post:1", "new"); len(all) != 2 || all["new"].Version == "" || all["post:1"].Version == "" {
		t.Errorf("announced = %v, want the newest", all)
	}
	if f.rdb.HExists(f.ctx, f.key("announced:owed"), "old").Val() {
		t.Error("what is not announced any more is still owed")
	}
}

func TestAnnounce_LeavesOutWhatIsTooLong(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustAnnounce("post:1", string(make([]byte, longestAnnounced)))
	if all := f.announced("post:1"); len(all) != 0 {
		t.Errorf("announced = %v, want nothing", all)
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	t.Run("goes back to an older version", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustAnnounce("post:1", "9")
		f.mustWithdraw("post:1", f.announced("post:1")["post:1"], "8")
		f.mustAnnounce("post:1", "7")
		if got := f.announced("post:1")["post:1"].Version; got != "8" {
			t.Errorf("version = %q, want 8", got)
		}
	})
	t.Run("leaves what was announced meanwhile", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustAnnounce("post:1", "9")
		was := f.announced("post:1")["post:1"]
		f.mustAnnounce("post:1", "10")
		f.mustWithdraw("post:1", was, "8")
		if got := f.announced("post:1")["post:1"].Version; got != "10" {
			t.Errorf("version = %q, want 10", got)
		}
	})
}

func (f *fixture) mustWithdraw(item string, was Announced, version string) {
	f.t.Helper()
	if err := f.Withdraw(f.ctx, item, was, version); err != nil {
		f.t.Fatal(err)
	}
}

// told are the versions that Told returns, by item.
func (f *fixture) told(items ...string) map[string]string {
	f.t.Helper()
	all, err := f.Told(f.ctx, items)
	if err != nil {
		f.t.Fatal(err)
	}
	told := make(map[string]string)
	for item, a := range all {
		told[item] = a.Version
	}
	return told
}

func (f *fixture) mustTriggerItem(item string) {
	f.t.Helper()
	if _, err := f.TriggerLabel(f.ctx, Item(item), Request{}); err != nil {
		f.t.Fatal(err)
	}
}

func TestTold_LeavesOutWhatIsNotTriggered(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for _, c := range []struct {
		name string
		do   func(*fixture)
		want map[string]string
	}{
		{"only announced", func(f *fixture) { f.mustAnnounce("post:1", "1") }, map[string]string{}},
		{"recorded", func(f *fixture) { f.mustAnnounce("post:1", "1"); f.mustTriggerItem("post:1") }, map[string]string{"post:1": "1"}},
		{"another is", func(f *fixture) {
			f.mustAnnounce("post:1", "1")
			f.mustAnnounce("post:2", "2")
			f.mustTriggerItem("post:2")
		}, map[string]string{"post:2": "2"}},
		{"an earlier version was", func(f *fixture) {
			f.mustAnnounce("post:1", "1")
			f.mustTriggerItem("post:1")
			f.mustAnnounce("post:1", "2")
		}, map[string]string{}},
		{"the same again", func(f *fixture) {
			f.mustAnnounce("post:1", "1")
			f.mustTriggerItem("post:1")
			f.mustAnnounce("post:1", "1")
		}, map[string]string{"post:1": "1"}},
		{"recorded, and not announced", func(f *fixture) { f.mustTriggerItem("post:1") }, map[string]string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, s)
			c.do(f)
			if diff := cmp.Diff(c.want, f.told("post:1", "post:2")); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnnouncedOf_AKind(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustAnnounce("post:1", "a")
	f.mustAnnounce("page:2", "b")
	f.mustAnnounce("posts:3", "c")
	got, err := f.AnnouncedOf(f.ctx, "post")
	if diff := cmp.Diff(map[string]string{"1": "a"}, got); diff != "" || err != nil {
		t.Errorf("announced (-want +got):\n%s%v", diff, err)
	}
}

func TestClaim_SaysWhetherAnythingIsAnnounced(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	run := f.mustRun(p)
	if run.Announced {
		t.Error("something is announced, want nothing")
	}
	f.mustFinish(run, Published, "a")
	f.mustAnnounce("post:9", "1")
	if run := f.mustRun(p); !run.Announced {
		t.Error("nothing is announced, want something")
	}
	if run := f.mustTake(path(t, "/b"), Bulk{Number: f.mustNumber()}); !run.Announced {
		t.Error("nothing is announced to a build, want something")
	}
}
