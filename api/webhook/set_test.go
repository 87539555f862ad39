package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rebake/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slowSet has a webhook with rules whose events are read when the test lets
// them, and one without rules.
func slowSet(t *testing.T, read reader) (s *Set, ruled, plain *Hook) {
	t.Helper()
	cfg := Config{Kind: "generic", Secret: storage.Secrets{testSecret}}
	plainCfg := cfg
	cfg.Rules = []Rule{{Paths: Texts{"/"}}}
	s, err := NewSet(map[string]Config{"cms": cfg, "other": cfg, "plain": plainCfg})
	if err != nil {
		t.Fatal(err)
	}
	ruled, _ = s.Hook("cms")
	plain, _ = s.Hook("plain")
	ruled.kind.read, plain.kind.read = read, read
	return s, ruled, plain
}

func TestSet_Read_endsWhenRulesTakeLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		s, h, _ := slowSet(t, func(Event) (Change, error) { <-end; return Change{All: true}, nil })
		for range readers {
			if r := s.Read(t.Context(), h, Event{}); len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "longer than 1s") || r.All || r.Busy {
				t.Errorf("read as %+v", r)
			}
		}
		// They go on, and nobody else begins.
		if r := s.Read(t.Context(), h, Event{}); !r.Busy || len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "no turn") {
			t.Errorf("read as %+v", r)
		}
		// Those of another webhook have nothing to do with it.
		other, _ := s.Hook("other")
		if r := s.Read(t.Context(), other, Event{}); r.Busy || len(r.Failed) != 0 || len(r.Paths) != 1 {
			t.Errorf("read as %+v by another webhook", r)
		}
		close(end)
		synctest.Wait()
		if r := s.Read(t.Context(), h, Event{}); len(r.Failed) != 0 || !r.All {
			t.Errorf("read as %+v when all have ended", r)
		}
	})
}

// An event that has waited for its turn has as much time as any other.
func TestSet_Read_waitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := slowSet(t, func(Event) (Change, error) { time.Sleep(readTime - time.Millisecond); return Change{}, nil })
		var done sync.WaitGroup
		for range 2 * readers {
			done.Go(func() {
				if r := s.Read(t.Context(), h, Event{}); r.Busy || len(r.Failed) != 0 {
					t.Errorf("read as %+v", r)
				}
			})
		}
		done.Wait()
	})
}

// Without rules nothing can take long but the machine.
func TestSet_Read_withoutRulesTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, h := slowSet(t, func(Event) (Change, error) { time.Sleep(time.Hour); return Change{All: true}, nil })
		if r := s.Read(t.Context(), h, Event{}); len(r.Failed) != 0 || !r.All {
			t.Errorf("read as %+v", r)
		}
	})
}

func TestSet_Read_endsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		s, h, _ := slowSet(t, func(Event) (Change, error) { <-end; return Change{}, nil })
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("went away"))
		defer cancel()
		if r := s.Read(ctx, h, Event{}); len(r.Failed) != 1 || r.Failed[0].Message != "went away" {
			t.Errorf("read as %+v", r)
		}
		close(end)
	})
}

func TestSet_Read_panicIsAFailure(t *testing.T) {
	s, ruled, plain := slowSet(t, func(Event) (Change, error) { panic("boom") })
	for _, h := range []*Hook{ruled, plain} {
		if r := s.Read(t.Context(), h, Event{}); len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "boom") {
			t.Errorf("%s: read as %+v", h.Name(), r)
		}
	}
}

func TestNewSet_namesEachProblem(t *testing.T) {
	_, err := NewSet(map[string]Config{"a": {Kind: "x"}, "b": {Kind: "strapi"}})
	for _, want := range []string{"a.kind: unknown kind", "b.secret: required"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("NewSet: %v, want %q", err, want)
		}
	}
}

func TestSet_nilHasNone(t *testing.T) {
	var s *Set
	if _, ok := s.Hook("a"); ok || s.Names() != nil || s.Secrets() != nil {
		t.Error("a nil set has webhooks")
	}
}

func TestSet_Secrets(t *testing.T) {
	const next = "another-CANARY-0123456789"
	s, err := NewSet(map[string]Config{"b": strapiOf(nil, testSecret), "a": strapiOf(nil, next, testSecret)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]storage.Secret{next, testSecret, testSecret}, s.Secrets()); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}
