package origin

import "time"

// reconcileEvery is how often a WordPress is asked what has changed without a
// word, when the config does not say.
const reconcileEvery = 5 * time.Minute

// Reconcile is how often the origin is asked what has changed there, of which
// it may have told nobody; 0 for never.
func (o *Origin) Reconcile() time.Duration {
	if o.WordPress() {
		return o.config.Reconcile.Or(reconcileEvery)
	}
	return 0
}

// WordPress reports whether the origin is one, which has a REST API.
func (o *Origin) WordPress() bool { return o.config.Kind == WordPress }
