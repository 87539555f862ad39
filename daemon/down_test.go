package daemon

import (
	"testing"
	"time"

	"rebake/storage/ledger"
)

func TestStatus_saysWhatIsDown(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	d := ledger.Down{Upstream: "source cms", Server: "cms.example.com", Since: now.Add(-90 * time.Second), Next: now.Add(4 * time.Second), Reason: "status 503"}
	if got, want := downText(d, now), "source cms (cms.example.com), since 1m30s ago: status 503; tried again in 4s"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	d.Next = now.Add(-time.Second)
	if got, want := downText(d, now), "source cms (cms.example.com), since 1m30s ago: status 503; tried again with the next page that needs it"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
