package worker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

func TestDecide(t *testing.T) {
	broken := errors.New("no such host")
	patience := func(after time.Duration) error { return &storage.TemporaryError{Err: broken, After: after} }
	for name, c := range map[string]struct {
		err      error
		attempts int
		outcome  ledger.Outcome
		wait     time.Duration // give or take a tenth, exactly where the upstream asked for it
	}{
		"first failure":            {storage.Temporary(broken), 0, ledger.Retrying, time.Second},
		"second failure":           {storage.Temporary(broken), 1, ledger.Retrying, 2 * time.Second},
		"third failure":            {storage.Temporary(broken), 2, ledger.Retrying, 4 * time.Second},
		"fourth failure":           {storage.Temporary(broken), 3, ledger.Retrying, 8 * time.Second},
		"fifth failure":            {storage.Temporary(broken), 4, ledger.Retrying, 15 * time.Second},
		"sixth failure":            {storage.Temporary(broken), 5, ledger.Retrying, 20 * time.Second},
		"thousandth failure":       {storage.Temporary(broken), 999, ledger.Retrying, 20 * time.Second},
		"wrapped":                  {fmt.Errorf("render: %w", storage.Temporary(broken)), 0, ledger.Retrying, time.Second},
		"asked for patience":       {patience(30 * time.Second), 0, ledger.Retrying, 30 * time.Second},
		"asked for little":         {patience(10 * time.Millisecond), 3, ledger.Retrying, 10 * time.Millisecond},
		"asked for a day":          {patience(24 * time.Hour), 0, ledger.Retrying, 5 * time.Minute},
		"not asked":                {&storage.TemporaryError{Err: broken, After: 3 * time.Second, NotAsked: true}, 7, ledger.Postponed, 3 * time.Second},
		"refused":                  {&storage.RefusedError{Gate: "empty"}, 0, ledger.Refused, 0},
		"refused, and the clock":   {storage.Temporary(&storage.RefusedError{Gate: "empty"}), 0, ledger.Refused, 0},
		"cut off":                  {&storage.RefusedError{Gate: "complete", CutOff: true}, 0, ledger.Retrying, time.Second},
		"cut off again":            {&storage.RefusedError{Gate: "complete", CutOff: true}, 4, ledger.Retrying, 15 * time.Second},
		"never whole":              {&storage.RefusedError{Gate: "complete", CutOff: true}, 5, ledger.Refused, 0},
		"unknown, so permanent":    {broken, 0, ledger.Failed, 0},
		"somebody else's file":     {storage.ErrForeign, 0, ledger.Failed, 0},
		"file and directory clash": {storage.ErrFileDirConflict, 0, ledger.Failed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			outcome, wait := decide(c.err, c.attempts)
			if outcome != c.outcome {
				t.Errorf("outcome = %s, want %s", outcome, c.outcome)
			}
			slack := c.wait / 10
			if asked := new(storage.TemporaryError); errors.As(c.err, &asked) && asked.After > 0 {
				slack = 0
			}
			if wait < c.wait-slack || wait > c.wait+slack {
				t.Errorf("wait = %v, want %v give or take %v", wait, c.wait, slack)
			}
		})
	}
}

func TestDecide_JitterSpreadsPages(t *testing.T) {
	waits := make(map[time.Duration]bool)
	for range 50 {
		_, wait := decide(storage.Temporary(errors.New("down")), 0)
		waits[wait] = true
	}
	if len(waits) < 40 {
		t.Errorf("50 pages that fail together come back at only %d different times", len(waits))
	}
}
