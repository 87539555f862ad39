package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	hookSecret = "the-secret-of-the-webhooks"
	// sourceLag is longer than webhooks settle: without the versions that they
	// announce, every edit would be rendered before the source shows it.
	sourceLag = 1500 * time.Millisecond
)

// webhooks has webhooks announce versions that the source does not show yet,
// while Rebake is killed: a page must wait for its version, over every restart,
// since nobody calls again.
func webhooks(ctx context.Context, lab *Lab) (Outcome, error) {
	r, err := lab.newRig(ctx, 40, nil, SiteOptions{
		Routes: `  - path: "/{part}/{slug}"
    template: page.html
    data: {item: {source: cms, get: "/items?path=/{part}/{slug}", one: true}}
    tags: ["item:{part}-{slug}"]
    version: "{item.version}"
    canonical: none`,
		Extra: fmt.Sprintf("webhooks:\n  line: {kind: generic, secret: %q, settle: 300ms, max_wait: 2s, recheck: 0s}", hookSecret),
	})
	if err != nil {
		return Outcome{}, err
	}
	if err := r.load.Publish(ctx, settleTime); err != nil {
		return Outcome{}, err
	}
	defer r.judge.Watch(ctx)()
	r.source.Set(Mood{Latency: 150 * time.Millisecond, Lag: sourceLag})
	r.load.Senders, r.load.Pause = 4, 500*time.Millisecond
	r.load.Send = func(ctx context.Context, path string) error {
		return r.server.Announce(ctx, path, r.source.Version(path))
	}
	stop := r.load.Start(ctx)
	defer stop()
	kills := lab.Size(2, 20)
	for i := range kills {
		if err := Sleep(ctx, 2*time.Second); err != nil {
			return Outcome{}, err
		}
		if err := killAndRestart(ctx, r.server); err != nil {
			return Outcome{}, err
		}
		lab.Say("killed %d of %d times", i+1, kills)
	}
	if err := Sleep(ctx, 2*time.Second); err != nil {
		return Outcome{}, err
	}
	stop()
	outcome, err := r.judge.Verdict(ctx, settleTime)
	outcome.Faults = kills
	return outcome, err
}

// Announce sends a webhook about a page, and returns nil when it was answered
// with 200.
func (v *Server) Announce(ctx context.Context, path string, version int) error {
	body, err := json.Marshal(map[string]any{
		"path": path, "item": "item:" + strings.ReplaceAll(strings.Trim(path, "/"), "/", "-"), "version": fmt.Sprint(version),
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+v.Listen+"/_rebake/webhooks/line", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+hookSecret)
	req.Header.Set("Content-Type", "application/json")
	return send(req, http.StatusOK)
}
