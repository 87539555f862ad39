package ledger

import (
	"testing"

	"rebake/storage/redistest"
)

func TestID_StaysUntilTheLedgerIsLost(t *testing.T) {
	f := newFixture(t, redistest.Start(t))
	first, err := f.ID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.ID(t.Context()); err != nil || again != first || again == "" {
		t.Errorf("second reading %q, %v; want %q", again, err, first)
	}
	if err := f.rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if again, err := f.ID(t.Context()); err != nil || again == first {
		t.Errorf("after the loss %q, %v; want another than %q", again, err, first)
	}
}
