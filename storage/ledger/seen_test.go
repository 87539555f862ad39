package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"rebake/storage"
	"rebake/storage/redistest"
)

func (f *fixture) mustRemember(s Seen, m Memory) {
	f.t.Helper()
	if err := f.Remember(f.ctx, s, m); err != nil {
		f.t.Fatal(err)
	}
}

func TestSeen(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	posts := Seen{"cms", "posts"}
	f.mustRemember(posts, Memory{Versions: map[string]string{"1": "a", "2": "b", "3": "c"}, Progress: "one"})
	f.mustRemember(Seen{"cms", "pages"}, Memory{Versions: map[string]string{"9": "z"}, Progress: "none"})
	f.mustRemember(posts, Memory{Versions: map[string]string{"2": "bb"}, Gone: []string{"1", "7"}, Progress: "two"})

	got, err := f.SeenVersions(f.ctx, posts, []string{"1", "2", "3", "9"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"2": "bb", "3": "c"}, got); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if n, err := f.SeenCount(f.ctx, posts); n != 2 || err != nil {
		t.Errorf("%d are remembered (%v), want 2", n, err)
	}
	progress, err := f.PollProgress(f.ctx, "cms")
	if diff := cmp.Diff(map[string]string{"posts": "two", "pages": "none"}, progress); diff != "" || err != nil {
		t.Errorf("progress (-want +got):\n%s%v", diff, err)
	}
}

func TestSeen_withoutProgressThatStays(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	posts := Seen{"cms", "posts"}
	f.mustRemember(posts, Memory{Progress: "one"})
	f.mustRemember(posts, Memory{Versions: map[string]string{"1": ""}})
	progress, err := f.PollProgress(f.ctx, "cms")
	if diff := cmp.Diff(map[string]string{"posts": "one"}, progress); diff != "" || err != nil {
		t.Errorf("progress (-want +got):\n%s%v", diff, err)
	}
}

func TestRemember_whatIsNotAnnouncedAnyMore(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustAnnounce("post:1", "a")
	f.mustRemember(Seen{"cms", "posts"}, Memory{Gone: []string{"1"}, Unannounced: []string{"post:1"}})
	for _, key := range []string{"announced", "announced:at", "announced:owed"} {
		if keys := f.keys(key); len(keys) > 0 {
			t.Errorf("keys left = %v, want none", keys)
		}
	}
}

func TestSeen_manyAreAllThere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	posts, m := Seen{"cms", "posts"}, Memory{Versions: map[string]string{}}
	var want []string
	for i := range 3000 {
		id := fmt.Sprintf("%05d", i)
		m.Versions[id], want = "v"+id, append(want, id)
	}
	f.mustRemember(posts, m)
	var got []string
	if err := f.EachSeen(f.ctx, posts, func(id string) { got = append(got, id) }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	versions, err := f.SeenVersions(f.ctx, posts, want)
	if diff := cmp.Diff(m.Versions, versions); diff != "" || err != nil {
		t.Errorf("versions (-want +got):\n%s%v", diff, err)
	}
}

func TestShownSince(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	started := time.Now().Add(-time.Second)
	for path, tags := range map[string]string{"/a": "post:1", "/b": "post:1", "/gone": "post:2"} {
		f.rdb.ZAdd(f.ctx, f.key("tag:"+tags), redis.Z{Member: path})
		f.rdb.HSet(f.ctx, f.key("page:"+path), "at", started.UnixMilli())
	}
	older := started.Add(-time.Hour)
	f.rdb.HSet(f.ctx, f.key("page:/b"), "at", older.UnixMilli())
	f.rdb.HSet(f.ctx, f.key("page:/gone"), "gone", 1)
	f.rdb.ZAdd(f.ctx, f.key("tag:post:3"), redis.Z{Member: "/forgotten"})
	got, err := f.ShownSince(f.ctx, []string{"post:1", "post:2", "post:3", "post:4"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]time.Time{"post:1": time.UnixMilli(older.UnixMilli())}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestShownSince_behindManyThatAreRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	pipe := f.rdb.Pipeline()
	for i := range shownBy + shownStep {
		path := fmt.Sprintf("/a%03d", i)
		pipe.ZAdd(f.ctx, f.key("tag:category:7"), redis.Z{Member: path})
		pipe.HSet(f.ctx, f.key("page:"+path), "at", 1, "gone", 1)
	}
	pipe.ZAdd(f.ctx, f.key("tag:category:7"), redis.Z{Member: "/z"})
	pipe.HSet(f.ctx, f.key("page:/z"), "at", 2000)
	if _, err := pipe.Exec(f.ctx); err != nil {
		t.Fatal(err)
	}
	got, err := f.ShownSince(f.ctx, []string{"post:1", "category:7"})
	if diff := cmp.Diff(map[string]time.Time{"category:7": time.UnixMilli(2000)}, got); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
}

func TestAnnouncedOf_behindManyOfAnotherKind(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustAnnounce("post:1", "a")
	at := float64(time.Now().Add(time.Minute).UnixMilli())
	var others []redis.Z
	for i := range 2 * adoptAt {
		others = append(others, redis.Z{Score: at, Member: fmt.Sprintf("made:/%d", i)})
	}
	f.rdb.ZAdd(f.ctx, f.key("announced:at"), others...)
	got, err := f.AnnouncedOf(f.ctx, "post")
	if diff := cmp.Diff(map[string]string{"1": "a"}, got); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
}

func (f *fixture) mustClaimPoll(every time.Duration, now bool) (*Poll, time.Duration) {
	f.t.Helper()
	c, err := f.ClaimPoll(f.ctx, "cms", every, now)
	if err != nil {
		f.t.Fatal(err)
	}
	return c.Turn, c.Wait
}

func TestPoll_isOneProcessAtATime(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	first, _ := f.mustClaimPoll(time.Minute, false)
	if first == nil {
		t.Fatal("nobody has the turn, and it is refused")
	}
	for _, now := range []bool{false, true} {
		if p, wait := f.mustClaimPoll(time.Minute, now); p != nil || wait <= 0 || wait > pollLease {
			t.Errorf("another gets %v, and is to wait %s", p, wait)
		}
	}
	if err := first.End(f.ctx, PollState{}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if p, wait := f.mustClaimPoll(time.Minute, false); p != nil || wait < 50*time.Second {
		t.Errorf("the next is due in %s", wait)
	}
	if p, _ := f.mustClaimPoll(time.Minute, true); p == nil {
		t.Error("somebody who waits for it does not get the turn")
	}
}

func TestPoll_ofAProcessThatDied(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	dead, _ := f.mustClaimPoll(time.Minute, false)
	f.rdb.HSet(f.ctx, f.key("poll:cms"), "exp", 1)
	if p, _ := f.mustClaimPoll(time.Minute, false); p == nil {
		t.Fatal("its turn is nobody's")
	}
	if err := dead.Renew(f.ctx); err != storage.ErrLost {
		t.Errorf("it goes on: %v", err)
	}
	if err := dead.End(f.ctx, PollState{}, time.Minute); err != storage.ErrLost {
		t.Errorf("it ends the other's turn: %v", err)
	}
}

func TestPoll_ofAProcessThatDiedBeforeTheClockWasPutBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustClaimPoll(time.Minute, false)
	f.rdb.HSet(f.ctx, f.key("poll:cms"), "exp", time.Now().Add(24*time.Hour).UnixMilli())
	if p, wait := f.mustClaimPoll(time.Minute, false); p == nil {
		t.Errorf("its turn is nobody's for %s", wait)
	}
}

func TestPoll_isKeptByRenewing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p, _ := f.mustClaimPoll(time.Minute, false)
	f.rdb.HSet(f.ctx, f.key("poll:cms"), "exp", 1)
	if err := p.Renew(f.ctx); err != nil {
		t.Fatal(err)
	}
	if other, _ := f.mustClaimPoll(time.Minute, false); other != nil {
		t.Error("another gets the turn")
	}
}

func TestPoll_aShorterIntervalHoldsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p, _ := f.mustClaimPoll(time.Hour, false)
	if err := p.End(f.ctx, PollState{}, time.Hour); err != nil {
		t.Fatal(err)
	}
	if p, wait := f.mustClaimPoll(10*time.Second, false); p == nil {
		t.Errorf("the next is due in %s", wait)
	}
}

func TestForgetPolls(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	for _, name := range []string{"cms", "old"} {
		p, err := f.ClaimPoll(f.ctx, name, time.Minute, true)
		if err != nil {
			t.Fatal(err)
		}
		f.mustRemember(Seen{name, "posts"}, Memory{Versions: map[string]string{"1": "a"}, Progress: "one"})
		if err := p.Turn.End(f.ctx, PollState{}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for _, dry := range []bool{true, false} {
		before := len(f.keys("*"))
		got, err := f.ForgetPolls(f.ctx, []string{"cms", "new"}, dry)
		if diff := cmp.Diff([]string{"old"}, got); diff != "" || err != nil {
			t.Errorf("dry %t: (-want +got):\n%s%v", dry, diff, err)
		}
		if gone := before - len(f.keys("*")); dry != (gone == 0) {
			t.Errorf("dry %t: %d keys are gone", dry, gone)
		}
	}
	polls, err := f.Polls(f.ctx)
	if err != nil || len(polls) != 1 || polls[0].Source != "cms" {
		t.Errorf("polls %v (%v)", polls, err)
	}
	for _, key := range []string{"seen:old:posts", "poll:old"} {
		if keys := f.keys(key); len(keys) > 0 {
			t.Errorf("keys left = %v", keys)
		}
	}
	if n, err := f.SeenCount(f.ctx, Seen{"cms", "posts"}); n != 1 || err != nil {
		t.Errorf("%d of another are left (%v)", n, err)
	}
}
