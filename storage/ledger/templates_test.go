package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/redistest"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	want := func(hashes map[string]string) {
		t.Helper()
		got, err := f.Templates(f.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(hashes, got); diff != "" {
			t.Errorf("templates (-want +got):\n%s", diff)
		}
	}
	want(map[string]string{})
	for _, hashes := range []map[string]string{
		{"post.html": "aa", "layouts/base.html": "bb"},
		{"post.html": "cc", "partials/foot.html": "dd"}, // one changed, one new, one away
		{},
	} {
		if err := f.RememberTemplates(f.ctx, hashes); err != nil {
			t.Fatal(err)
		}
		want(hashes)
	}
}
