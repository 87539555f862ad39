package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

func gone(context.Context, int, string) (string, error) {
	return "", fmt.Errorf("read the post: %w", storage.ErrGone)
}

func TestWorker_GonePageIsRemovedAfterASecondReading(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/blog/a", strings.Repeat("long enough for a sidecar ", 100))
	if _, err := os.Stat(s.file("/blog/a") + ".gz"); err != nil {
		t.Fatal(err)
	}
	before := s.renders("/blog/a")
	s.on("/blog/a", gone)
	asked := time.Now()
	p.trigger(ledger.Critical, "/blog/a")
	p.await("/blog/a", ledger.PageGone)
	if took := time.Since(asked); took < 2*time.Second {
		t.Errorf("the page was removed after %v, want 2s between two readings", took)
	}
	s.wantRenders("/blog/a", before+2)
	for _, suffix := range []string{"", ".gz"} {
		if _, err := os.Stat(s.file("/blog/a") + suffix); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat of the page%s = %v, want that it is not there", suffix, err)
		}
	}

	s.on("/blog/a", nil)
	p.publish("/blog/a", "back again")
	s.wantServed("/blog/a", "back again")
}

func TestWorker_GoneAtFirstAndBackAtTheSecondReadingStays(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "old")
	s.on("/a", func(ctx context.Context, n int, _ string) (string, error) {
		if n == 2 {
			return gone(ctx, n, "")
		}
		return "new", nil
	})
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageFresh)
	s.wantServed("/a", "new")
}

func TestWorker_GonePageThatNeverWasLeavesNothing(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.on("/a", gone)
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageUnknown)
	keys, err := p.rdb.Keys(t.Context(), "rebake:*:/a").Result()
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) > 0 {
		t.Errorf("the ledger still has %q", keys)
	}
}

func TestWorker_HomeIsNeverRemoved(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/", "home")
	s.on("/", gone)
	p.trigger(ledger.Critical, "/")
	p.await("/", ledger.PageFailed)
	s.wantServed("/", "home")
}
