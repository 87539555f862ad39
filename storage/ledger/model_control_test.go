package ledger

import (
	"testing"

	"rebake/storage/redistest"
)

// safeguard is a part of the protocol that a control leaves out.
type safeguard string

const (
	nothing          safeguard = ""
	theFence         safeguard = "fence"
	theSweeper       safeguard = "sweeper"
	theWalkSweeper   safeguard = "sweeper of walks"
	theLabelCheck    safeguard = "check of the labels at the end of a run"
	theForgetting    safeguard = "forgetting of what visitors asked for"
	theSecondReading safeguard = "second reading of a page that is gone"
	theTombstone     safeguard = "record of a page that was removed"
	theKeptMark      safeguard = "look at the mark of a page that stays removed"
	theTimerStep     safeguard = "one step in which a timer fires"
	theSecondLook    safeguard = "second look at a page that was rendered before it was quiet"
	theNewNumber     safeguard = "new number of a walk when it was quiet"
	thePartsNumber   safeguard = "number of the trigger that a part is of"
)

// has says whether a safeguard is there.
func (m *model) has(s safeguard) bool { return m.without != s }

// The controls show that the model test would see what each safeguard is for.
func TestModel_WithoutFenceAnOlderPageOverwritesANewer(t *testing.T) {
	wantViolation(t, theFence)
}

func TestModel_WithoutSweeperATriggerIsLost(t *testing.T) {
	wantViolation(t, theSweeper)
}

func TestModel_WithoutLabelCheckAPageThatJoinsATagIsMissed(t *testing.T) {
	wantViolation(t, theLabelCheck)
}

func TestModel_WithoutWalkSweeperALabelIsLost(t *testing.T) {
	wantViolation(t, theWalkSweeper)
}

func TestModel_WithoutForgettingAVisitorsWishIsOwedForEver(t *testing.T) {
	wantViolation(t, theForgetting)
}

func TestModel_WithoutSecondReadingAPageIsRemovedTooSoon(t *testing.T) {
	wantViolation(t, theSecondReading)
}

func TestModel_WithoutTombstoneATagDoesNotBringAPageBack(t *testing.T) {
	wantViolation(t, theTombstone)
}

func TestModel_WithoutMarkAPageThatStaysRemovedIsPublished(t *testing.T) {
	wantViolation(t, theKeptMark)
}

func TestModel_WithoutOneStepATimerIsLost(t *testing.T) {
	wantViolation(t, theTimerStep)
}

func TestModel_WithoutSecondLookWhatASourceShowsLateIsMissed(t *testing.T) {
	wantViolation(t, theSecondLook)
}

func TestModel_WithoutNewNumberAWalkPassesPagesThatWereRenderedTooEarly(t *testing.T) {
	wantViolation(t, theNewNumber)
}

func TestModel_WithoutItsNumberAPartIsTakenForOneThatWasMet(t *testing.T) {
	wantViolation(t, thePartsNumber)
}

func wantViolation(t *testing.T, without safeguard) {
	t.Helper()
	rdb := redistest.Start(t)
	for seed := range uint64(modelSeeds) {
		if m := playModel(t, rdb, seed, without); m.wrong != "" {
			t.Logf("seed %d: %s", seed, m.wrong)
			return
		}
	}
	t.Errorf("%d seeds found nothing wrong", modelSeeds)
}
