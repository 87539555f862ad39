package ledger

import (
	"strings"
	"testing"

	"rebake/storage"
	"rebake/storage/redistest"
)

// H94: paths and tags stand in keys as they are, so none may lead to another
// key, another slot, or another command.
func TestLedger_H94HostileValuesInKeys(t *testing.T) {
	f := newFixture(t, redistest.Start(t))
	tags := []string{
		"a}:owed:/b", "{other}", "x\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "a\x00b", "%s%n", "tag:tag:", "ü", "'; redis.call('flushall') --", "*", "[^", " ",
	}
	paths := []string{"/a*b", "/a'b", "/$(x)", "/a,b=c@d", "/(a)!~", "/ü"}
	for _, text := range paths {
		p := path(t, text)
		run := f.mustRun(p)
		f.mustFinishTagged(run, Published, "body", tags...)
		if got := f.mustState(p); got.Page == nil || len(got.Page.Tags) != len(tags) {
			t.Errorf("%s: its state is %+v", text, got)
		}
	}
	for _, tag := range tags {
		if _, err := f.TriggerLabel(f.ctx, Tag(tag), Request{Reason: "x\r\nFLUSHALL\r\n"}); err != nil {
			t.Errorf("tag %q: %v", tag, err)
		}
		var got []string
		if err := f.EachPage(f.ctx, Tag(tag), func(p storage.Path) error { got = append(got, p.String()); return nil }); err != nil || len(got) != len(paths) {
			t.Errorf("tag %q has the pages %q, %v, want all %d", tag, got, err, len(paths))
		}
	}
	keys, err := f.rdb.Keys(f.ctx, "*").Result()
	if err != nil || len(keys) < len(paths)+len(tags) {
		t.Fatalf("%d keys, %v: something is gone", len(keys), err)
	}
	for _, key := range keys {
		// The first braces of a key choose its slot.
		if key != "rebake:site" && !strings.HasPrefix(key, "rebake:{"+site+"}:") {
			t.Errorf("key %q is not one of the site's", key)
		}
	}
	for _, bad := range []string{"/a{b}", "/a:b", "/a\r\nb", "/a\x00", "/a\"b"} {
		if p, err := storage.ParsePath(bad); err == nil {
			t.Errorf("%q is taken for the path %s", bad, p)
		}
	}
}
