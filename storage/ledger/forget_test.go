package ledger

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"rebake/storage"
	"rebake/storage/redistest"
)

// forgetful is a ledger where /live and /gone have the tag x, and the tombstone
// of /old, which had it too, has expired.
func forgetful(t *testing.T) *fixture {
	t.Helper()
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	for _, name := range []string{"/live", "/old", "/gone"} {
		f.mustPublishTagged(path(t, name), "x", "only:"+name[1:])
	}
	f.mustFinish(f.mustSeize(path(t, "/old")), Removed, "")
	f.elapse(tombstone)
	f.mustFinish(f.mustSeize(path(t, "/gone")), Removed, "")
	return f
}

// members are the paths in an index.
func (f *fixture) members(label Label) []string {
	f.t.Helper()
	index, _, _ := label.index()
	list, err := f.rdb.ZRange(f.ctx, f.key(index), 0, -1).Result()
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

// forgetTagged follows the cursor to its end.
func (f *fixture) forgetTagged(dry bool) map[Label]int {
	f.t.Helper()
	sum := map[Label]int{}
	for cursor := uint64(0); ; {
		list, next, err := f.ForgetTagged(f.ctx, cursor, dry)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, one := range list {
			sum[one.Label] = one.Paths
		}
		if cursor = next; cursor == 0 {
			return sum
		}
	}
}

func TestForget_TakesOutOnlyPathsWhoseTombstoneHasExpired(t *testing.T) {
	f := forgetful(t)
	all := []storage.Path{path(t, "/gone"), path(t, "/live"), path(t, "/old")}
	for _, dry := range []bool{true, false} {
		if n, err := f.Forget(f.ctx, Site, all, dry); n != 1 || err != nil {
			t.Errorf("dry %v: %d paths, %v; want 1", dry, n, err)
		}
		want := []string{"/gone", "/live", "/old"}
		if !dry {
			want = want[:2]
		}
		if diff := cmp.Diff(want, f.members(Site)); diff != "" {
			t.Errorf("dry %v: paths (-want +got):\n%s", dry, diff)
		}
	}
}

func TestForget_LeavesAPathThatIsOwed(t *testing.T) {
	f := forgetful(t)
	f.mustTrigger(path(t, "/old"), Low)
	if n, err := f.Forget(f.ctx, Site, []storage.Path{path(t, "/old")}, false); n != 0 || err != nil {
		t.Errorf("%d paths, %v; want none", n, err)
	}
}

func TestForgetTagged_GoesOverAllTags(t *testing.T) {
	f := forgetful(t)
	want := map[Label]int{Tag("x"): 1, Tag("only:old"): 1}
	if diff := cmp.Diff(want, f.forgetTagged(true)); diff != "" {
		t.Errorf("dry (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/gone", "/live", "/old"}, f.members(Tag("x"))); diff != "" {
		t.Errorf("the dry run has changed the index (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, f.forgetTagged(false)); diff != "" {
		t.Errorf("forgotten (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[Label]int{}, f.forgetTagged(false)); diff != "" {
		t.Errorf("the second time (-want +got):\n%s", diff)
	}
	if _, err := f.Forget(f.ctx, Site, []storage.Path{path(t, "/old")}, false); err != nil {
		t.Fatal(err)
	}
	if diff := f.indexDiff(); diff != "" {
		t.Errorf("index (-records +sets):\n%s", diff)
	}
}

func TestForgetTagged_LeavesTheTagsOfOtherSites(t *testing.T) {
	t.Parallel()
	f := openFixture(t, redistest.Start(t).Client(), DefaultConfig("[::1]"))
	f.mustPublishTagged(path(t, "/old"), "x")
	f.mustFinish(f.mustSeize(path(t, "/old")), Removed, "")
	if err := f.rdb.Del(f.ctx, f.key("page:/old")).Err(); err != nil {
		t.Fatal(err)
	}
	const other = "rebake:{:}:tag:x" // which the brackets would match as a set
	if err := f.rdb.ZAdd(f.ctx, other, redis.Z{Member: "/a"}).Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[Label]int{Tag("x"): 1}, f.forgetTagged(false)); diff != "" {
		t.Errorf("forgotten (-want +got):\n%s", diff)
	}
	if n := f.rdb.ZCard(f.ctx, other).Val(); n != 1 {
		t.Error("the index of another site was changed")
	}
}

func TestForget_RedisDoesNotAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	if _, _, err := f.ForgetTagged(ctx, 0, true); err == nil {
		t.Error("tags: no error")
	}
	if _, err := f.Forget(ctx, Site, []storage.Path{path(t, "/a")}, true); err == nil {
		t.Error("paths: no error")
	}
}
