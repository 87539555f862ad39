package ledger

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/storage/redistest"
)

func TestHistory_ofAPageThatNeverWasOne(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/draft")
	r := f.mustRequest(p, Request{Reason: "webhook cms"})
	f.mustFail(f.mustClaim(*r.Token), Retrying, 0)
	f.mustFinish(f.mustClaim(*r.Token), Removed, "")
	for i := range historyBatch + 10 { // of others, since
		f.mustFinish(f.mustRun(path(t, fmt.Sprintf("/other/%d", i))), Removed, "")
	}
	if s := f.mustState(p); s.Page != nil || s.Owed != nil {
		t.Fatalf("something else is left of it: %+v", s)
	}
	history, err := f.History(t.Context(), p, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{
		{Kind: Removed, Path: p, ID: r.ID, Reason: "webhook cms"},
		{Kind: Retrying, Path: p, ID: r.ID, Reason: "webhook cms", Error: "no answer"},
	}
	if diff := cmp.Diff(want, history, cmp.Comparer(samePath), cmpopts.IgnoreFields(Event{}, "At", "Ran", "Waited")); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if last, err := f.History(t.Context(), p, 1); err != nil || len(last) != 1 || last[0].Kind != Removed {
		t.Errorf("the last one is %+v (%v), want the removal", last, err)
	}
}

func TestHistory_ofAPageOfWhichNothingIsKnown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	if history, err := f.History(t.Context(), path(t, "/x"), 10); err != nil || len(history) > 0 {
		t.Errorf("history %v, error %v; want none", history, err)
	}
}
