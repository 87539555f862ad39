package presence

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustEnter(t *testing.T, dir, name string) *Presence {
	t.Helper()
	p, err := Enter(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantDead compares with what p sees.
func wantDead(t *testing.T, p *Presence, want ...string) {
	t.Helper()
	got, err := p.Dead()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead (-want +got):\n%s", diff)
	}
}

func TestPresence_TheDeadAreSeenUntilTheyAreBuried(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "processes")
	me, other := mustEnter(t, dir, "me"), mustEnter(t, dir, "other")
	wantDead(t, me)
	if err := other.Close(); err != nil { // as the kernel does
		t.Fatal(err)
	}
	wantDead(t, me, "other")
	wantDead(t, me, "other")
	if err := me.Bury("other"); err != nil {
		t.Fatal(err)
	}
	wantDead(t, me)
}

func TestPresence_WhoIsJustComingIsNotDead(t *testing.T) {
	dir := t.TempDir()
	me := mustEnter(t, dir, "me")
	if err := os.WriteFile(filepath.Join(dir, coming+"other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantDead(t, me)
}

func TestEnter_WhereNothingCanBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Enter(filepath.Join(file, "processes"), "me"); err == nil {
		t.Error("no error")
	}
}
