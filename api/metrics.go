package api

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rebake/storage/ledger"
	"rebake/worker"
)

// metrics are what GET /metrics tells. Numbers of the ledger are those of the
// whole site, whatever process is asked; those of triggers and the spool are
// this process's. What stands in Redis is left out while Redis is away.
type metrics struct {
	http.Handler
	triggers *prometheus.CounterVec
	renders  *prometheus.CounterVec
	refused  *prometheus.CounterVec
	events   *prometheus.CounterVec
	dropped  prometheus.Counter
}

// newMetrics registers them.
func newMetrics(a *API) *metrics {
	reg := a.cfg.Metrics
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	m := &metrics{
		triggers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rebake_triggers_total",
			Help: "Triggers by what became of them: redis, spool (a part of it is enough), or lost, which were answered with an error.",
		}, []string{"to"}),
		renders: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rebake_renders_total",
			Help: "Ends of renders of the whole site, as this process has heard of them, by outcome.",
		}, []string{"outcome"}),
	}
	m.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rebake_requests_refused_total",
		Help: "Requests that did nothing, by the code of their answer: unauthorized, dot_segment, too_large …",
	}, []string{"code"})
	m.events = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rebake_webhook_events_total",
		Help: "Requests to webhooks by what became of them: accepted, ignored, duplicate, parked, unreadable, refused, lost, asked.",
	}, []string{"webhook", "outcome"})
	m.dropped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "rebake_webhook_events_dropped_total",
		Help: "Parked events that were dropped for newer ones; all pages are triggered in their place.",
	})
	m.webhooks(a.cfg.Webhooks.Names())
	for _, to := range []string{"redis", "spool", "lost"} {
		m.triggers.WithLabelValues(to)
	}
	reg.MustRegister(m.triggers, m.renders, m.refused, m.events, m.dropped, stateCollector{a})
	m.Handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	return m
}

// webhooks begins to count the events of webhooks: what is not counted yet is 0,
// and not unknown.
func (m *metrics) webhooks(names []string) {
	for _, name := range names {
		for _, outcome := range eventOutcomes {
			m.events.WithLabelValues(name, outcome)
		}
	}
}

// accepted counts a trigger.
func (m *metrics) accepted(a worker.Accepted, err error) {
	switch {
	case err != nil:
		m.triggers.WithLabelValues("lost").Inc()
	case a.Spooled != nil:
		m.triggers.WithLabelValues("spool").Inc()
	default:
		m.triggers.WithLabelValues("redis").Inc()
	}
}

// CountRenders counts the ends of renders for /metrics until ctx is done.
func (a *API) CountRenders(ctx context.Context) error {
	events, unsubscribe := a.site.Subscribe(1024)
	defer unsubscribe()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-events:
			a.metrics.renders.WithLabelValues(string(e.Kind)).Inc()
		}
	}
}

// stateCollector reads the gauges when they are asked for.
type stateCollector struct{ *API }

var (
	redisUp      = prometheus.NewDesc("rebake_redis_up", "1 while triggers go to Redis, or would but for its memory; 0 while it is away or refused.", nil, nil)
	redisFull    = prometheus.NewDesc("rebake_redis_full", "1 while triggers are spooled because Redis is half full.", nil, nil)
	spoolRecords = prometheus.NewDesc("rebake_spool_triggers", "Triggers that wait in this process's spool.", nil, nil)
	spoolBytes   = prometheus.NewDesc("rebake_spool_bytes", "Bytes of this process's spool.", nil, nil)
	pagesKnown   = prometheus.NewDesc("rebake_pages", "Pages that are known, removed ones too.", nil, nil)
	pagesOwed    = prometheus.NewDesc("rebake_pages_owed", "Pages that wait for a render or are being rendered.", nil, nil)
	pagesFailed  = prometheus.NewDesc("rebake_pages_failed", "Pages that nobody tries any more.", nil, nil)
	pagesLagging = prometheus.NewDesc("rebake_pages_lagging", "Pages that show something older than their CMS has told of.", nil, nil)
	eventsParked = prometheus.NewDesc("rebake_webhook_events_parked", "Events of webhooks that a person has to look at.", nil, nil)
	oldestOwed   = prometheus.NewDesc("rebake_oldest_owed_seconds", "Since when the longest waiting page waits.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c stateCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{redisUp, redisFull, spoolRecords, spoolBytes, pagesKnown, pagesOwed, pagesFailed, pagesLagging, eventsParked, oldestOwed, reconcileFound} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c stateCollector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	flag := func(d *prometheus.Desc, is bool) {
		if is {
			gauge(d, 1)
			return
		}
		gauge(d, 0)
	}
	intake := c.site.Intake()
	up := intake.Cause == nil || intake.Full
	flag(redisUp, up)
	flag(redisFull, intake.Full)
	gauge(spoolRecords, float64(intake.Spooled.Records))
	gauge(spoolBytes, float64(intake.Spooled.Bytes))
	if !up {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), acceptTime)
	defer cancel()
	c.collectPolls(ctx, to)
	if counts, err := c.state.Counts(ctx); err == nil {
		gauge(pagesOwed, float64(counts.Owed))
		gauge(pagesFailed, float64(counts.Failed))
		gauge(pagesLagging, float64(counts.Lagging))
	}
	if n, err := c.state.CountParked(ctx); err == nil {
		gauge(eventsParked, float64(n))
	}
	if n, err := c.state.Pages(ctx, ledger.Site); err == nil {
		gauge(pagesKnown, float64(n))
	}
	if oldest, err := c.state.Oldest(ctx); err == nil {
		age := 0.0
		if !oldest.IsZero() {
			age = max(0, time.Since(oldest).Seconds())
		}
		gauge(oldestOwed, age)
	}
}
