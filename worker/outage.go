package worker

import (
	"context"
	"time"

	"rebake/renderer"
	"rebake/storage/ledger"
)

const (
	// outageEvery is how often the worker looks whether an upstream is down.
	outageEvery = time.Second
	// outageBudget bounds one report; a Redis that hangs must not hold up a stop.
	outageBudget = 2 * time.Second
)

// outages tells of upstreams that are down until ctx is done: the log when one
// goes down and when it is back, and the ledger all the while.
func (w *Worker) outages(ctx context.Context) error {
	r, ok := w.Renderer.(interface{ Down() []renderer.Outage })
	if !ok {
		return nil
	}
	tick := time.NewTicker(outageEvery)
	defer tick.Stop()
	known := make(map[string]renderer.Outage)
	for {
		select {
		case <-ctx.Done():
			w.reportDown(context.WithoutCancel(ctx), nil, len(known) > 0)
			return nil
		case <-tick.C:
		}
		list := r.Down()
		told := len(known) > 0
		known = w.logOutages(known, list)
		w.reportDown(ctx, list, told || len(list) > 0)
	}
}

// logOutages logs what differs from known, and returns what is known now.
func (w *Worker) logOutages(known map[string]renderer.Outage, list []renderer.Outage) map[string]renderer.Outage {
	now := make(map[string]renderer.Outage, len(list))
	for _, d := range list {
		key := d.Upstream + " " + d.Server
		now[key] = d
		if _, ok := known[key]; !ok {
			w.Log.Warn("upstream is down, its pages wait", "upstream", d.Upstream, "server", d.Server, "err", d.Reason)
		}
	}
	for key, d := range known {
		if _, ok := now[key]; !ok {
			w.Log.Info("upstream is back", "upstream", d.Upstream, "server", d.Server, "dur", time.Since(d.Since).Round(time.Millisecond))
		}
	}
	return now
}

// reportDown tells the ledger if there is something to tell. What does not
// arrive is told again.
func (w *Worker) reportDown(ctx context.Context, list []renderer.Outage, news bool) {
	if !news {
		return
	}
	var down []ledger.Down
	for _, o := range list {
		down = append(down, ledger.Down{Upstream: o.Upstream, Server: o.Server, Since: o.Since, Next: o.Next, Reason: o.Reason})
	}
	ctx, cancel := context.WithTimeout(ctx, outageBudget)
	defer cancel()
	_ = w.Ledger.ReportDown(ctx, down)
}
