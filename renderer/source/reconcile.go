package source

import "time"

// reconcileEvery is how often a WordPress is asked what has changed without a
// word, when the config does not say.
const reconcileEvery = 5 * time.Minute

// Reconcile is how often the source is asked what has changed there, of which
// it may have told nobody; 0 for never.
func (s *Source) Reconcile() time.Duration {
	if s.WordPress() {
		return s.config.Reconcile.Or(reconcileEvery)
	}
	return s.config.Reconcile.Or(0)
}
