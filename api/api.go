package api

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rebake/api/webhook"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// Config says who may come in, and how much they may ask for.
type Config struct {
	// Secrets open /api/revalidate; any of them does.
	Secrets []storage.Secret
	// AdminToken opens the admin listener.
	AdminToken storage.Secret
	// Rules are the site's rules for paths.
	Rules storage.PathRules
	// Hosts are the hosts whose URLs stand for a path of this site: the site's
	// own, those of its sources.
	Hosts []string
	// MaxBody is the largest request body in bytes.
	MaxBody int64
	// MaxPaths is the most paths of one trigger.
	MaxPaths int
	// Webhooks are those that /_rebake/webhooks/ takes events for; nil is none.
	Webhooks *webhook.Set
	// Metrics is where /metrics reads, and what the API adds its own to; nil is
	// one of its own.
	Metrics *prometheus.Registry
	// MaxWait is the longest that a caller may wait for its pages.
	MaxWait time.Duration
}

// DefaultConfig has no secrets and no token, so it lets nobody in.
func DefaultConfig() Config {
	return Config{MaxBody: 1 << 20, MaxPaths: 100, MaxWait: time.Minute}
}

// Site is what the api asks of the worker floor.
type Site interface {
	Accept(context.Context, worker.Trigger) (worker.Accepted, error)
	Intake() worker.Intake
	Wait(context.Context, worker.AcceptedPage) error
	WaitLabel(context.Context, worker.AcceptedLabel) error
	Miss(context.Context, storage.Path) (worker.Served, error)
	Operator
	Collector
	Reconciler
}

// Routes is what the api asks of the renderer floor.
type Routes interface {
	// SlugPaths returns the paths that a bare slug may stand for.
	SlugPaths(slug string) []string
	// PassedTo names the origin that always answers a path itself; "" is none.
	PassedTo(p storage.Path) string
}

// State is what the api asks of the ledger.
type State interface {
	State(context.Context, storage.Path) (ledger.State, error)
	Counts(context.Context) (ledger.Counts, error)
	Index
	Records
	Marks
	Parking
	Polled
}

// API answers requests. Safe for concurrent use.
type API struct {
	cfg    Config
	site   Site
	routes Routes
	state  State
	log    *slog.Logger

	secrets  atomic.Pointer[[]storage.Secret] // those of now; cfg has the first
	failures *failures
	refusals *refusals
	metrics  *metrics
	bodies   *bodies // of the public listener
}

// New returns an API over one site.
func New(cfg Config, site Site, routes Routes, state State, log *slog.Logger) *API {
	a := &API{cfg: cfg, site: site, routes: routes, state: state, log: log, failures: newFailures(), refusals: newRefusals(), bodies: &bodies{most: mostHeld}}
	a.SetSecrets(cfg.Secrets)
	a.metrics = newMetrics(a)
	return a
}
