package output

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rebake/storage"
)

func TestDirs_OnOneOutputExcludeEachOtherOnAPage(t *testing.T) {
	first := newSite(t)
	second := first.again()
	inside, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		_, err := first.Publish(t.Context(), page("/a", "first"), storage.Published{}, func(context.Context, bool) error {
			close(inside)
			<-leave
			return nil
		})
		done <- err
	}()
	<-inside
	soon := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	refuse := func(context.Context, bool) error {
		t.Error("two publishers are inside the lock of one page")
		return storage.ErrLost
	}
	for _, waiting := range []*site{first, second} {
		_, err := waiting.Publish(soon(), page("/a", "second"), storage.Published{}, refuse)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("publish: error %v, want a deadline", err)
		}
		wantTemporary(t, err)
		_, err = waiting.Remove(soon(), parse("/a"), storage.Published{}, refuse)
		wantTemporary(t, err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	second.put("/a", "second")
	if got := first.read("a/index.html"); got != "second" {
		t.Errorf("the page holds %q", got)
	}
}

// The fence knows the newest version, as the ledger does.
func TestDirs_OlderVersionNeverLandsAfterNewer(t *testing.T) {
	first := newSite(t, "gzip")
	second := first.again("gzip")
	for i := range 50 {
		path := fmt.Sprintf("/p%d", i)
		var newest atomic.Int64
		var all sync.WaitGroup
		for version := range int64(4) {
			s := []*site{first, second}[version%2]
			all.Go(func() {
				_, err := s.Publish(t.Context(), page(path, text(int(version), 2000)), storage.Published{}, func(context.Context, bool) error {
					if newest.Load() > version {
						return storage.ErrLost
					}
					newest.Store(version)
					return nil
				})
				if err != nil && !errors.Is(err, storage.ErrLost) {
					t.Errorf("publish: %v", err)
				}
			})
		}
		all.Wait()
		file := parse(path).File()
		if first.read(file) != text(int(newest.Load()), 2000) {
			t.Fatalf("%s does not hold version %d", file, newest.Load())
		}
		first.wantSidecar(file, ".gz")
	}
}
