package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"rebake/api/signature"
	"rebake/api/signature/signedtest"
	"rebake/api/webhook"
	"rebake/storage"
)

// cmsEvent is a request that a CMS has signed, by code that is not ours.
type cmsEvent struct {
	signedtest.Event
	signed bool // the body is, and not only the sender known
	timed  bool // it holds for a time
}

func cmsEvents(t *testing.T) []cmsEvent {
	t.Helper()
	var events []cmsEvent
	for _, e := range signedtest.Events(t) {
		schemes, err := signature.Preset(e.Kind, signature.Options{Header: e.Options.Header, BodyOnly: e.Options.BodyOnly})
		if err != nil {
			t.Fatal(err)
		}
		v, err := signature.New(schemes, storage.Secret(e.Secret))
		if err != nil {
			t.Fatal(err)
		}
		r := signature.Request{Method: e.Method, URL: e.URL(t), Header: e.Header(), Body: e.Body}
		taken, err := v.Verify(r, e.Time)
		if err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		r.Body = append(slices.Clone(r.Body), ' ')
		_, err = v.Verify(r, e.Time)
		events = append(events, cmsEvent{e, err != nil, !taken.Sent.IsZero()})
	}
	return events
}

// pushRules are what users of GitHub and GitLab write.
var pushRules = []webhook.Rule{{
	When:  `body.ref == "refs/heads/main"`,
	Paths: webhook.Texts{`{map(filter(flatten(map(body.commits, concat(.added, .modified, .removed))), # startsWith "content/"), "/" + trimSuffix(trimPrefix(#, "content/"), ".md"))}`},
}}

// hooked is an API with a webhook for an event's sender.
func hooked(t *testing.T, e cmsEvent, secret string) *fixture {
	t.Helper()
	cfg := webhook.Config{Kind: e.Kind, Secret: storage.Secrets{storage.Secret(secret)}}
	if e.Options.Header != "" || e.Options.BodyOnly {
		cfg.Verify = &webhook.Verify{Header: e.Options.Header, BodyOnly: e.Options.BodyOnly}
	}
	if e.Kind == "github" || e.Kind == "gitlab" {
		cfg.Rules = pushRules
	}
	set, err := webhook.NewSet(map[string]webhook.Config{e.Kind: cfg})
	if err != nil {
		t.Fatal(err)
	}
	return newFixture(t, func(c *Config) {
		c.Webhooks = set
		c.Hosts = []string{"www.example.com", "cms.example.com", "blog.example.com", "shop.example.com"}
	})
}

// post sends the event's bytes over HTTP, after change has had its way with them.
func (f *fixture) post(e cmsEvent, change ...func(headers map[string][]string, body *[]byte)) (*http.Response, revalidated) {
	f.t.Helper()
	headers, body := map[string][]string{}, slices.Clone(e.Body)
	for name, value := range e.Headers {
		headers[name] = []string{value}
	}
	for _, c := range change {
		c(headers, &body)
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\nContent-Length: %d\r\n", e.Method, e.Target, len(body))
	for name, values := range headers {
		for _, value := range values {
			fmt.Fprintf(&head, "%s: %s\r\n", name, value)
		}
	}
	client, server := net.Pipe() // which takes part in synctest's time
	defer client.Close()
	srv, l := &http.Server{Handler: f.Public()}, newPipeListener(server)
	defer srv.Close()
	go func() { _ = srv.Serve(l) }()
	go func() { _, _ = client.Write(append([]byte(head.String()+"\r\n"), body...)) }()
	res, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer revalidated
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		f.t.Fatal(err)
	}
	return res, answer
}

// pipeListener accepts one connection.
type pipeListener struct {
	conns chan net.Conn
	close func()
	done  <-chan struct{}
}

func newPipeListener(c net.Conn) *pipeListener {
	done := make(chan struct{})
	l := &pipeListener{conns: make(chan net.Conn, 1), close: sync.OnceFunc(func() { close(done) }), done: done}
	l.conns <- c
	return l
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.close(); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
