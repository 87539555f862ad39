package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rebake/api"
	"rebake/daemon/config"
	"rebake/daemon/demo"
)

// serveCMS serves the sample CMS of the site until ctx is done. A site whose
// sources are all elsewhere has no use for it, and it only waits.
func serveCMS(ctx context.Context, file, listen string, log *slog.Logger) error {
	cfg, err := config.Load(file, os.LookupEnv)
	if err != nil {
		return err
	}
	source := sourceAt(cfg, "http://"+listen)
	if source == "" {
		log.Info("nothing to do: no source in rebake.yaml is here", "url", "http://"+listen)
		<-ctx.Done()
		return nil
	}
	notifier := &demo.Notifier{URL: "http://" + cfg.Listen + "/api/revalidate", Secret: cfg.Secret[0]}
	editor, err := demo.NewEditor(demo.NewCMS(), notifier, cfg.Site)
	if err != nil {
		return err
	}
	l, err := api.Listen(listen, editor, time.Second, log)
	if err != nil {
		return err
	}
	log.Info("edit a post", "url", "http://"+l.Addr()+"/")
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.Run(ctx) })
	g.Go(func() error { return announce(ctx, notifier, source) })
	return g.Wait()
}

// sourceAt returns the name of a source of the config at a server, or "".
func sourceAt(cfg *config.Config, server string) string {
	for name, s := range cfg.Sources {
		if strings.HasPrefix(s.URL, server+"/") {
			return name
		}
	}
	return ""
}

// errNotYet says that Rebake cannot be asked at the moment.
var errNotYet = errors.New("rebake does not answer yet")

// announce tells Rebake, as soon as it runs, that everything in the CMS may
// have changed: the CMS keeps nothing, so the edits of the last run are gone.
func announce(ctx context.Context, n *demo.Notifier, source string) error {
	const pause = 300 * time.Millisecond
	for {
		err := trigger(ctx, n, "source:"+source)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, errNotYet) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// trigger triggers the pages with a tag. The error is errNotYet when it may
// be sent again.
func trigger(ctx context.Context, n *demo.Notifier, tag string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL+"?"+url.Values{"tag": {tag}}.Encode(), nil)
	if err != nil {
		return fmt.Errorf("make trigger: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+n.Secret.Reveal())
	req.Header.Set("User-Agent", "rebake-example-cms")
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return errNotYet
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode >= 500:
		return errNotYet
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("trigger %s: rebake answers %s; is its secret that of rebake.yaml?", tag, res.Status)
	}
	return nil
}
