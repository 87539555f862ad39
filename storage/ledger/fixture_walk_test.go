package ledger

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// mustPublishTagged takes a page from a trigger to its publication, whatever
// is to follow.
func (f *fixture) mustPublishTagged(p storage.Path, tags ...string) End {
	f.t.Helper()
	return f.mustFinishTagged(f.mustRun(p), Published, "a", tags...)
}

func (f *fixture) mustLabel(label Label, prio Priority) Receipt {
	f.t.Helper()
	r, err := f.TriggerLabel(f.ctx, label, Request{Priority: prio, Reason: "test"})
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// mustWalk triggers a label and claims its walk.
func (f *fixture) mustWalk(label Label) *Walk {
	f.t.Helper()
	r := f.mustLabel(label, Low)
	if r.Token == nil {
		f.t.Fatalf("trigger of %s gave no token", label)
	}
	return f.mustClaimWalk(*r.Token)
}

func (f *fixture) mustClaimWalk(tok Token) *Walk {
	f.t.Helper()
	w := f.wakeWalk(tok)
	if w.State != Claimed {
		f.t.Fatalf("claim of the walk of %s = %s, want claimed", tok.Label, w.State)
	}
	return w
}

// wakeWalk claims a walk's token, whatever comes of it.
func (f *fixture) wakeWalk(tok Token) *Walk {
	f.t.Helper()
	w, err := f.ClaimWalk(f.ctx, tok)
	if err != nil {
		f.t.Fatal(err)
	}
	return w
}

func (f *fixture) mustNext(w *Walk, limit int) []string {
	f.t.Helper()
	list, err := w.Next(f.ctx, limit)
	if err != nil {
		f.t.Fatal(err)
	}
	return texts(list)
}

func (f *fixture) mustAdvance(w *Walk) {
	f.t.Helper()
	if err := w.Advance(f.ctx); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) mustEnd(w *Walk) (again bool) {
	f.t.Helper()
	again, err := w.End(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return again
}

func (f *fixture) mustTake(p storage.Path, b Bulk) *Run {
	f.t.Helper()
	run, err := f.Take(f.ctx, p, b)
	if err != nil {
		f.t.Fatal(err)
	}
	return run
}

// mustNumber returns a number of its own, as a build has.
func (f *fixture) mustNumber() uint64 {
	f.t.Helper()
	n, err := f.NextNumber(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// endWalkLease makes the lease of a walk end, as if its worker hung.
func (f *fixture) endWalkLease(label Label) {
	f.t.Helper()
	_, err := f.rdb.Pipelined(f.ctx, func(pipe redis.Pipeliner) error {
		pipe.HSet(f.ctx, f.key("walk:"+string(label)), "exp", 1)
		pipe.ZAdd(f.ctx, f.key("dirty"), redis.Z{Score: 1, Member: string(label)})
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// twin is the same walker with what it knows now: its next request is the one
// that the walker sends, or sends again.
func twin(w *Walk) *Walk {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &Walk{
		State: w.State, Label: w.Label, Number: w.Number, Priority: w.Priority, Reason: w.Reason,
		ledger: w.ledger, owner: w.owner, from: w.from, kept: w.kept, number: w.number,
	}
}

// keys returns the site's keys that match, without what they all begin with.
func (f *fixture) keys(pattern string) []string {
	f.t.Helper()
	prefix := f.key("")
	list, err := f.rdb.Keys(f.ctx, strings.NewReplacer("[", `\[`, "]", `\]`).Replace(prefix)+pattern).Result()
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range list {
		list[i] = strings.TrimPrefix(list[i], prefix)
	}
	slices.Sort(list)
	return list
}

// indexDiff compares the tag sets and the set of all paths with the records of
// the pages. Pages that came back may be in sets of tags that they had before.
func (f *fixture) indexDiff(back ...string) string {
	f.t.Helper()
	want, got := map[string][]string{}, map[string][]string{}
	for _, key := range f.keys("page:*") {
		page := strings.TrimPrefix(key, "page:")
		want["paths"] = append(want["paths"], page)
		text, err := f.rdb.HGet(f.ctx, f.key(key), "tags").Result()
		if err != nil {
			f.t.Fatal(err)
		}
		var tags []string
		if err := json.Unmarshal([]byte(text), &tags); err != nil {
			f.t.Fatal(err)
		}
		for _, tag := range tags {
			want["tag:"+tag] = append(want["tag:"+tag], page)
		}
	}
	for _, key := range append(f.keys("tag:*"), f.keys("paths")...) {
		list, err := f.rdb.ZRange(f.ctx, f.key(key), 0, -1).Result()
		if err != nil {
			f.t.Fatal(err)
		}
		list = slices.DeleteFunc(list, func(page string) bool {
			return slices.Contains(back, page) && !slices.Contains(want[key], page)
		})
		slices.Sort(list)
		if len(list) > 0 {
			got[key] = list
		}
	}
	return cmp.Diff(want, got)
}

func wantIndex(t testing.TB, f *fixture) {
	t.Helper()
	if diff := f.indexDiff(); diff != "" {
		t.Errorf("index (-records +sets):\n%s", diff)
	}
}

func texts(paths []storage.Path) (list []string) {
	for _, p := range paths {
		list = append(list, p.String())
	}
	return list
}
