package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every secret of these tests, right or wrong, holds canary, and no log of any
// test may.
const (
	canary     = "CANARY"
	secret     = "S3CR3T-CANARY-0123456789abcdef"
	older      = "0LDER-CANARY-0123456789abcdef"
	adminToken = "ADM1N-CANARY-0123456789abcdef"
)

// fixture is an API over fakes.
type fixture struct {
	*API
	t     testing.TB
	site  *fakeSite
	state *fakeState
	logs  *logs
}

func newFixture(t testing.TB, change ...func(*Config)) *fixture {
	t.Helper()
	cfg := testConfig()
	for _, f := range change {
		f(&cfg)
	}
	f := &fixture{t: t, site: &fakeSite{}, state: &fakeState{}, logs: &logs{}}
	f.site.state = f.state
	f.API = New(cfg, f.site, fakeRoutes{"/blog/", "/"}, f.state, slog.New(slog.NewJSONHandler(f.logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { f.logs.check(t) })
	return f
}

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Secrets = []storage.Secret{secret, older}
	cfg.AdminToken = adminToken
	cfg.Hosts = []string{"www.example.com", "cms.example.com:8080"}
	cfg.Rules.Reserved = []string{"/api", "/_rebake", "/admin", "/metrics", "/assets"}
	return cfg
}

// response is an answer that holds what every answer has to.
type response struct {
	*httptest.ResponseRecorder
	t testing.TB
}

// do sends a request with headers of the form "Name: value", and checks what
// holds for every answer.
func do(t testing.TB, h http.Handler, method, target, body string, headers ...string) response {
	t.Helper()
	return serve(t, h, newRequest(method, target, body, headers...))
}

func newRequest(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func serve(t testing.TB, h http.Handler, r *http.Request) response {
	t.Helper()
	w := response{httptest.NewRecorder(), t}
	h.ServeHTTP(w, r)
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%d: %s is %q, want %q", w.Code, name, got, want)
		}
	}
	if !json.Valid(w.Body.Bytes()) {
		t.Errorf("%d: the answer is not JSON: %q", w.Code, w.Body)
	}
	return w
}

// revalidate sends a request to /api/revalidate with the right secret.
func (f *fixture) revalidate(method, query, body string, headers ...string) response {
	f.t.Helper()
	target := "/api/revalidate"
	if query != "" {
		target += "?" + query
	}
	return do(f.t, f.Public(), method, target, body, append(headers, "Authorization: Bearer "+secret)...)
}

// wants checks the status, and the code of an answer that did nothing.
func (w response) wants(status int, code string) {
	w.t.Helper()
	if got := w.problem(); w.Code != status || got.Error != code {
		w.t.Errorf("answer is %d %s, want %d and the code %q", w.Code, w.Body, status, code)
	}
}

func (w response) problem() problem {
	w.t.Helper()
	var p problem
	w.decode(&p)
	return p
}

func (w response) decode(v any) {
	w.t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		w.t.Fatalf("decode %q: %v", w.Body, err)
	}
}

// object decodes an answer as a program that knows nothing of it would.
func (w response) object() map[string]any {
	w.t.Helper()
	var v map[string]any
	w.decode(&v)
	return v
}

// triggered checks the paths of the only trigger.
func (f *fixture) triggered(want ...string) {
	f.t.Helper()
	trigger := f.only()
	var got []string
	for _, p := range trigger.Paths {
		got = append(got, p.String())
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		f.t.Errorf("paths of the trigger (-want +got):\n%s", diff)
	}
}

// only returns the only trigger.
func (f *fixture) only() worker.Trigger {
	f.t.Helper()
	all := f.site.all()
	if len(all) != 1 {
		f.t.Fatalf("%d triggers, want 1", len(all))
	}
	return all[0]
}

// labelled checks the labels of the only trigger.
func (f *fixture) labelled(want ...string) {
	f.t.Helper()
	trigger := f.only()
	var got []string
	for _, l := range trigger.Labels {
		got = append(got, string(l))
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		f.t.Errorf("labels of the trigger (-want +got):\n%s", diff)
	}
}

// itemized checks the items of the only trigger.
func (f *fixture) itemized(want ...string) {
	f.t.Helper()
	trigger := f.only()
	var got []string
	for _, item := range trigger.Items {
		got = append(got, item.Tag)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		f.t.Errorf("items of the trigger (-want +got):\n%s", diff)
	}
}

// named checks the labels of the only trigger, and the labels of its items.
func (f *fixture) named(want ...string) {
	f.t.Helper()
	trigger := f.only()
	var got []string
	for _, l := range trigger.Labels {
		got = append(got, string(l))
	}
	for _, item := range trigger.Items {
		got = append(got, string(ledger.Item(item.Tag)))
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		f.t.Errorf("labels and items of the trigger (-want +got):\n%s", diff)
	}
}

// idle checks that nothing was triggered.
func (f *fixture) idle() {
	f.t.Helper()
	if got := f.site.all(); len(got) > 0 {
		f.t.Errorf("triggered %v, want nothing", got)
	}
}

// fakeSite accepts every trigger, and says that all pages are published. Three
// pages have each label.
type fakeSite struct {
	accept    func(context.Context, worker.Trigger) (worker.Accepted, error)
	intake    worker.Intake
	wait      func(context.Context, worker.AcceptedPage) error
	waitLabel func(context.Context, worker.AcceptedLabel) error
	fakeOperator
	fakeCollector
	fakeReconciler

	mu       sync.Mutex
	triggers []worker.Trigger // guarded by mu
}

func (s *fakeSite) Accept(ctx context.Context, t worker.Trigger) (worker.Accepted, error) {
	s.mu.Lock()
	s.triggers = append(s.triggers, t)
	s.mu.Unlock()
	if s.accept != nil {
		return s.accept(ctx, t)
	}
	var a worker.Accepted
	for i, p := range t.Paths {
		a.Pages = append(a.Pages, worker.AcceptedPage{Path: p, ID: uint64(7 + i)})
	}
	for i, l := range t.Labels {
		a.Labels = append(a.Labels, worker.AcceptedLabel{Label: l, ID: uint64(21 + i), Pages: 3})
	}
	for i, item := range t.Items {
		a.Labels = append(a.Labels, worker.AcceptedLabel{Label: ledger.Item(item.Tag), ID: uint64(41 + i), Pages: 3})
	}
	return a, nil
}

func (s *fakeSite) Intake() worker.Intake { return s.intake }

func (s *fakeSite) Wait(ctx context.Context, p worker.AcceptedPage) error {
	if s.wait != nil {
		return s.wait(ctx, p)
	}
	return nil
}

func (s *fakeSite) WaitLabel(ctx context.Context, l worker.AcceptedLabel) error {
	if s.waitLabel != nil {
		return s.waitLabel(ctx, l)
	}
	return nil
}

func (s *fakeSite) all() []worker.Trigger {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.triggers
}

// fakeRoutes puts a slug behind each prefix.
type fakeRoutes []string

func (r fakeRoutes) SlugPaths(slug string) []string {
	var paths []string
	for _, prefix := range r {
		paths = append(paths, prefix+slug)
	}
	return paths
}

// PassedTo is "wp" for what has wp-admin in it.
func (r fakeRoutes) PassedTo(p storage.Path) string {
	if strings.Contains(p.String(), "/wp-admin") {
		return "wp"
	}
	return ""
}

// fakeState answers with what it was given.
type fakeState struct {
	states map[string]ledger.State
	err    error
	fakeLedger
	fakeParking
	fakePolled
}

func (s *fakeState) State(_ context.Context, p storage.Path) (ledger.State, error) {
	if known, ok := s.states[p.String()]; ok {
		return known, s.err
	}
	return ledger.State{Path: p, Freshness: ledger.PageUnknown}, s.err
}

func (s *fakeState) Counts(context.Context) (ledger.Counts, error) {
	return ledger.Counts{Lagging: s.lagging}, s.err
}

// logs is what was logged. Safe for concurrent use.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

var _ io.Writer = (*logs)(nil)

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) check(t testing.TB) {
	t.Helper()
	if s := l.String(); strings.Contains(s, canary) {
		t.Errorf("a secret was logged:\n%s", s)
	}
}

func mustPath(t testing.TB, s string) storage.Path {
	t.Helper()
	p, err := storage.ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Miss serves nothing, as a site does that has no such page, or had it.
func (s *fakeSite) Miss(_ context.Context, p storage.Path) (worker.Served, error) {
	if p.String() == "/kept" {
		return worker.Served{}, worker.ErrKept
	}
	return worker.Served{}, worker.ErrAbsent
}
