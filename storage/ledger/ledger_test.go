package ledger

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/redistest"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("again finds what was there", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(path(t, "/news"), Default)
		other, err := Open(t.Context(), f.rdb, f.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if run, err := other.Claim(t.Context(), tok); err != nil || run.State != Claimed {
			t.Errorf("claim = %+v, %v; want claimed", run, err)
		}
	})

	t.Run("refuses another site's database and names it", func(t *testing.T) {
		f := newFixture(t, s)
		_, err := Open(t.Context(), f.rdb, DefaultConfig("shop.example"))
		if err == nil || !strings.Contains(err.Error(), site) {
			t.Errorf("error = %v, want one that names %s", err, site)
		}
	})

	t.Run("refuses a newer schema", func(t *testing.T) {
		f := newFixture(t, s)
		if err := f.rdb.Incr(t.Context(), f.key("schema")).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), f.rdb, f.cfg); err == nil || !strings.Contains(err.Error(), "schema") {
			t.Errorf("error = %v, want one about the schema", err)
		}
	})
}

func TestLedger_IsTemporaryWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	f := newFixture(t, s)
	s.Pause()
	defer s.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := f.Trigger(ctx, path(t, "/news"), Request{})
	var temporary *storage.TemporaryError
	if !errors.As(err, &temporary) {
		t.Errorf("error = %v, want a temporary one", err)
	}
}

func TestLedger_KeepsWhatItAcceptedOverACrashOfRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	f := newFixture(t, s)
	tok := f.mustToken(path(t, "/news"), Default)
	s.Kill()
	s.Restart()
	f.mustClaim(tok)
}
