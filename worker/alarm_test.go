package worker

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/ledger"
)

// ringing runs alarms until the end of the test's bubble; what they wake comes
// out of the channel.
func ringing(t *testing.T) (*alarms, <-chan string) {
	t.Helper()
	a, woken := newAlarms(), make(chan string, 100)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = a.run(ctx, func(tok ledger.Token) { woken <- tok.ID }) // never fails
	}()
	t.Cleanup(func() { cancel(); <-over })
	synctest.Wait()
	if !a.set(ledger.Token{ID: "first", Wait: 0}) {
		t.Fatal("no alarm can be set")
	}
	if got := <-woken; got != "first" {
		t.Fatalf("woken %s", got)
	}
	return a, woken
}

func TestAlarms_WakeEachTokenOnceWhenItsTimeHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, woken := ringing(t)
		start := time.Now()
		for _, tok := range []struct {
			id   string
			wait time.Duration
		}{{"c", 90 * time.Millisecond}, {"a", 30 * time.Millisecond}, {"b", 60 * time.Millisecond}, {"a", 50 * time.Millisecond}} {
			if !a.set(ledger.Token{ID: tok.id, Wait: tok.wait}) {
				t.Errorf("no alarm for %s", tok.id)
			}
		}
		got := make(map[string]time.Duration)
		for range 3 {
			id := <-woken
			got[id] = time.Since(start)
		}
		want := map[string]time.Duration{
			"a": 30*time.Millisecond + alarmMargin, "b": 60*time.Millisecond + alarmMargin, "c": 90*time.Millisecond + alarmMargin,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("woken (-want +got):\n%s", diff)
		}
		time.Sleep(longAlarm)
		if len(woken) > 0 {
			t.Errorf("%s was woken twice", <-woken)
		}
	})
}

func TestAlarms_AreNotSet(t *testing.T) {
	t.Run("while nothing runs", func(t *testing.T) {
		if newAlarms().set(ledger.Token{ID: "a"}) {
			t.Error("nobody will wake the token")
		}
	})
	t.Run("for what is far away", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, _ := ringing(t)
			if a.set(ledger.Token{ID: "a", Wait: longAlarm + 1}) {
				t.Error("the alarm is set")
			}
		})
	})
	t.Run("when there are too many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, _ := ringing(t)
			for i := range mostAlarms {
				if !a.set(ledger.Token{ID: fmt.Sprint(i), Wait: longAlarm}) {
					t.Fatalf("alarm %d is one too many", i)
				}
			}
			if a.set(ledger.Token{ID: "one more", Wait: longAlarm}) {
				t.Errorf("more than %d alarms are set", mostAlarms)
			}
		})
	})
}
