package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const toxiproxyVersion = "v2.5.0"

// proxy is a toxiproxy between a site and its Redis.
type proxy struct {
	*Process
	Addr string // of Redis, through the proxy
	api  string
}

// newProxy has Go build a toxiproxy, and starts it before a Redis.
func (l *Lab) newProxy(ctx context.Context, to string) (*proxy, error) {
	build := exec.CommandContext(ctx, "go", "install", "github.com/Shopify/toxiproxy/v2/cmd/server@"+toxiproxyVersion)
	build.Env = append(os.Environ(), "GOBIN="+l.Path("bin"))
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("install toxiproxy: %w\n%s", err, out)
	}
	p := new(proxy)
	for _, addr := range []*string{&p.Addr, &p.api} {
		var err error
		if *addr, err = FreeAddr(); err != nil {
			return nil, err
		}
	}
	host, port := hostPort(p.api)
	var err error
	if p.Process, err = l.Start("toxiproxy", exec.Command(filepath.Join(l.Path("bin"), "server"), "-host", host, "-port", port)); err != nil {
		return nil, err
	}
	if err := p.Await(ctx, 10*time.Second, func() bool { return p.call(ctx, http.MethodGet, "/version", nil) == nil }); err != nil {
		return nil, err
	}
	return p, p.call(ctx, http.MethodPost, "/proxies", map[string]any{"name": "redis", "listen": p.Addr, "upstream": to, "enabled": true})
}

// poison does something to every answer of Redis until cure.
func (p *proxy) poison(ctx context.Context, kind string, attributes map[string]any) error {
	return p.call(ctx, http.MethodPost, "/proxies/redis/toxics", map[string]any{
		"name": "it", "type": kind, "stream": "downstream", "attributes": attributes,
	})
}

func (p *proxy) cure(ctx context.Context) error {
	return p.call(ctx, http.MethodDelete, "/proxies/redis/toxics/it", nil)
}

func (p *proxy) call(ctx context.Context, method, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.api+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("toxiproxy: %s %s: %s", method, path, res.Status)
	}
	return nil
}

// cuts are ways to lose an answer of Redis after it has done what it was asked:
// the connection is reset, ends after some bytes, or the answer never comes.
var cuts = []struct {
	kind       string
	attributes map[string]any
}{
	{"reset_peer", map[string]any{"timeout": 20}},
	{"limit_data", map[string]any{"bytes": 300}},
	{"timeout", map[string]any{"timeout": 0}},
}

// cutReplies loses answers of Redis in turn: nobody knows then whether a
// trigger was recorded, a page claimed, a render finished.
func cutReplies(ctx context.Context, lab *Lab) (Outcome, error) {
	f := &fleet{lab: lab}
	var err error
	if f.redis, err = lab.NewRedis(ctx, "redis", lab.Path("redis")); err != nil {
		return Outcome{}, err
	}
	proxy, err := lab.newProxy(ctx, f.redis.Addr)
	if err != nil {
		return Outcome{}, err
	}
	if err := f.open(ctx, "redis://"+proxy.Addr+"/0", 40); err != nil {
		return Outcome{}, err
	}
	n := 0
	return f.endure(ctx, redisFault{
		hurt: func(ctx context.Context, _ *Redis) error {
			cut := cuts[n%len(cuts)]
			n++
			if err := proxy.poison(ctx, cut.kind, cut.attributes); err != nil {
				return err
			}
			return seen(ctx, &Redis{Addr: proxy.Addr}, cut.kind)
		},
		heal: func(ctx context.Context, _ *Redis) error { return proxy.cure(ctx) },
	}, lab.Size(3, 24), time.Duration(lab.Size(1500, 3000))*time.Millisecond)
}

// seen looks whether answers are lost.
func seen(ctx context.Context, r *Redis, kind string) error {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	if r.Do(ctx, "ECHO", string(make([]byte, 1000))) == nil {
		return fmt.Errorf("%s: an answer came through", kind)
	}
	return nil
}
