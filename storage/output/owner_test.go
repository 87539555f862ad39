package output

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func ours() Owner { return Owner{Site: "www.example.com", Ledger: "one", Redis: "redis://127.0.0.1"} }

func TestClaim_FirstOneHasIt(t *testing.T) {
	s := newSite(t)
	if _, err := s.Owner(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v, want %v", err, fs.ErrNotExist)
	}
	if err := s.Claim(ours(), false); err != nil {
		t.Fatal(err)
	}
	if o, err := s.again().Owner(); err != nil || o.Site != "www.example.com" || o.Dir != s.cfg.State || o.Ledger != "one" {
		t.Errorf("owner %+v, %v", o, err)
	}
	s.wantNames("")
}

func TestClaim_OfAnother(t *testing.T) {
	for name, c := range map[string]struct {
		owner Owner
		state string // "" for the same one
		owned bool
	}{
		"nobody":                       {ours(), "", false},
		"site":                         {Owner{Site: "other.example.com", Ledger: "one"}, "", true},
		"ledger":                       {Owner{Site: "www.example.com", Ledger: "two"}, "", true},
		"state":                        {ours(), "other", true},
		"ledger that forgets, beside":  {Owner{Site: "www.example.com"}, "", false},
		"ledger that forgets, of both": {Owner{Site: "www.example.com"}, "other", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			if err := s.Claim(ours(), false); err != nil {
				t.Fatal(err)
			}
			cfg := s.cfg
			if c.state != "" {
				cfg.State = filepath.Join(filepath.Dir(cfg.State), c.state)
			}
			other := openSite(t, cfg)
			var owned *OwnedError
			if err := other.Owned(c.owner); errors.As(err, &owned) != c.owned {
				t.Errorf("owned: %v", err)
			}
			if err := other.Claim(c.owner, false); errors.As(err, &owned) != c.owned {
				t.Errorf("claim: %v", err)
			}
			if c.owned && owned.By.Dir != s.cfg.State {
				t.Errorf("it says that it is of %+v", owned.By)
			}
			if o, err := s.Owner(); err != nil || o.Site != "www.example.com" || o.Ledger != "one" {
				t.Errorf("owner %+v, %v; want the first", o, err)
			}
			if err := other.Claim(c.owner, true); err != nil {
				t.Fatal(err)
			}
			if err := s.Owned(ours()); errors.As(err, &owned) != c.owned {
				t.Errorf("after it was taken: %v", err)
			}
		})
	}
}

func TestClaim_LedgerComesLater(t *testing.T) {
	s := newSite(t)
	for _, o := range []Owner{{Site: "www.example.com"}, ours()} {
		if err := s.Claim(o, false); err != nil {
			t.Fatal(err)
		}
	}
	if o, _ := s.Owner(); o.Ledger != "one" {
		t.Errorf("owner %+v", o)
	}
}

func TestClaim_ManyAtOnce(t *testing.T) {
	s := newSite(t)
	results := make([]error, 8)
	var all sync.WaitGroup
	for i := range results {
		other := openSite(t, Config{Dir: s.cfg.Dir, State: filepath.Join(filepath.Dir(s.cfg.State), string(rune('a'+i)))})
		all.Go(func() { results[i] = other.Claim(ours(), false) })
	}
	all.Wait()
	won := 0
	for _, err := range results {
		var owned *OwnedError
		if err == nil {
			won++
		} else if !errors.As(err, &owned) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d have it, want one", won)
	}
}

func TestOwner_MarkThatCannotBeUnderstood(t *testing.T) {
	s := newSite(t)
	if err := unix.Setxattr(s.cfg.Dir, ownerAttr, []byte("{"), 0); err != nil {
		t.Fatal(err)
	}
	var owned *OwnedError
	if err := s.Claim(ours(), false); !errors.As(err, &owned) {
		t.Errorf("claim: %v", err)
	}
	if err := s.Claim(ours(), true); err != nil {
		t.Error(err)
	}
}

func TestClaim_LongNamesAreLeftOut(t *testing.T) {
	s := newSite(t)
	o := ours()
	o.Redis = strings.Repeat("long", maxOwner)
	for range 2 {
		if err := s.Claim(o, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Owned(ours()); err != nil {
		t.Error(err)
	}
}

// ramfs has no extended attributes.
func TestClaim_FileSystemWithoutAttributes(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	base := filepath.Join(t.TempDir(), "plain")
	mountAs(t, "ramfs", base, "")
	s := openSite(t, Config{Dir: base + "/public", State: base + "/state"})
	if err := s.Claim(ours(), false); err != nil {
		t.Fatal(err)
	}
	s.wantNames("")
	if _, err := os.Stat(base + "/.public.rebake"); err != nil {
		t.Error(err)
	}
	var owned *OwnedError
	other := openSite(t, Config{Dir: base + "/public", State: base + "/other"})
	if err := other.Claim(ours(), false); !errors.As(err, &owned) {
		t.Errorf("claim of another: %v", err)
	}
	if err := other.Claim(ours(), true); err != nil {
		t.Error(err)
	}
	if err := s.Owned(ours()); !errors.As(err, &owned) {
		t.Errorf("after it was taken: %v", err)
	}
}

func TestClaim_NoPlaceForAMark(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	obeyModes(t)
	base := filepath.Join(t.TempDir(), "plain")
	mountAs(t, "ramfs", base, "")
	s := openSite(t, Config{Dir: base + "/public", State: base + "/state"})
	if err := os.Chmod(base, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := s.Claim(ours(), false); !errors.Is(err, ErrUnmarked) {
		t.Errorf("error %v, want %v", err, ErrUnmarked)
	}
}

func TestStateID_OfAllThatOpenTheState(t *testing.T) {
	s := newSite(t)
	if other := s.again(); other.stateID != s.stateID || s.stateID == "" {
		t.Errorf("names %q and %q", s.stateID, other.stateID)
	}
}
