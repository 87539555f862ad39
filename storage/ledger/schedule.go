package ledger

import (
	"context"
	"strings"
	"time"

	"rebake/storage"
)

// alsoKind begins the kind of a timer that stands beside others.
const alsoKind = "scheduled-"

// ScheduleAlso is Schedule for what was asked for earlier, and comes late: it
// must not replace what was asked for since, so both will be triggered. The id
// makes the same request sent again one timer.
func (l *Ledger) ScheduleAlso(ctx context.Context, id string, p storage.Path, at time.Time) error {
	return l.schedule(ctx, Timer{Kind: alsoKind + id, Path: p}, at)
}

// ScheduleLabelAlso is ScheduleAlso for all pages with a label.
func (l *Ledger) ScheduleLabelAlso(ctx context.Context, id string, label Label, at time.Time) error {
	return l.schedule(ctx, Timer{Kind: alsoKind + id, Label: label}, at)
}

// isScheduled reports whether somebody has asked for the timer.
func (t Timer) isScheduled() bool {
	return t.Kind == "scheduled" || strings.HasPrefix(t.Kind, alsoKind)
}
