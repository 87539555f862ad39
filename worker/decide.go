package worker

import (
	"errors"
	"math/rand/v2"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

// backOff are the waits after the first failures; the last one holds from then
// on, for ever: what is temporary is never given up.
var backOff = []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 20 * time.Second}

// mostRetryAfter bounds how long an upstream may ask to be left alone.
const mostRetryAfter = 5 * time.Minute

// mostCutOff is how many times in a row a page is tried again of which an origin
// may have sent a part: a server that is started again is back within them.
const mostCutOff = 5

// decide is the one table that says whether a failed run is tried again, and
// when. attempts is how many tries failed before this one.
func decide(err error, attempts int) (ledger.Outcome, time.Duration) {
	var refused *storage.RefusedError
	if errors.As(err, &refused) {
		if refused.CutOff && attempts < mostCutOff {
			return ledger.Retrying, backOffAfter(attempts)
		}
		return ledger.Refused, 0
	}
	var temporary *storage.TemporaryError
	if !errors.As(err, &temporary) {
		return ledger.Failed, 0
	}
	if isLagging(err) {
		return ledger.Lagging, temporary.After
	}
	if temporary.NotAsked {
		return ledger.Postponed, temporary.After
	}
	if temporary.After > 0 {
		return ledger.Retrying, min(temporary.After, mostRetryAfter)
	}
	return ledger.Retrying, backOffAfter(attempts)
}

// backOffAfter is the wait after so many failures and one more. Pages that
// failed together do not come back together.
func backOffAfter(attempts int) time.Duration {
	wait := backOff[min(attempts, len(backOff)-1)]
	return wait*9/10 + rand.N(wait/5)
}
