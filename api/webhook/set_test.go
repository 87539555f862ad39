package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rebake/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slowSet has a webhook whose events are read when the test lets them.
func slowSet(t *testing.T, read reader) (*Set, *Hook) {
	t.Helper()
	s, err := NewSet(map[string]Config{"cms": {Kind: "generic", Secret: storage.Secrets{testSecret}}})
	if err != nil {
		t.Fatal(err)
	}
	h, _ := s.Hook("cms")
	h.kind.read = read
	return s, h
}

func TestSet_Read_endsWhenRulesTakeLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		s, h := slowSet(t, func(Event) (Change, error) { <-end; return Change{All: true}, nil })
		for range readers {
			if r := s.Read(t.Context(), h, Event{}); len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "longer than 1s") || r.All {
				t.Errorf("read as %+v", r)
			}
		}
		// They go on, and nobody else begins.
		if r := s.Read(t.Context(), h, Event{}); len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "no turn") {
			t.Errorf("read as %+v", r)
		}
		close(end)
		synctest.Wait()
		if r := s.Read(t.Context(), h, Event{}); len(r.Failed) != 0 || !r.All {
			t.Errorf("read as %+v when all have ended", r)
		}
	})
}

func TestSet_Read_endsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		s, h := slowSet(t, func(Event) (Change, error) { <-end; return Change{}, nil })
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("went away"))
		defer cancel()
		if r := s.Read(ctx, h, Event{}); len(r.Failed) != 1 || r.Failed[0].Message != "went away" {
			t.Errorf("read as %+v", r)
		}
		close(end)
	})
}

func TestSet_Read_panicIsAFailure(t *testing.T) {
	s, h := slowSet(t, func(Event) (Change, error) { panic("boom") })
	if r := s.Read(t.Context(), h, Event{}); len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "boom") {
		t.Errorf("read as %+v", r)
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
	s, h := slowSet(t, nil)
	if err := h.SetSecrets(storage.Secrets{"another-CANARY-0123456789"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]storage.Secret{"another-CANARY-0123456789"}, s.Secrets()); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}
