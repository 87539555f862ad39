package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rebake/daemon/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// site writes the example with a Rebake at the address, and returns its
// rebake.yaml.
func site(t *testing.T, a addresses) string {
	t.Helper()
	dir := t.TempDir()
	if err := write(dir, a); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "rebake.yaml")
}

func TestRun_Refusals(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing":      {nil, "say what to do: write or cms"},
		"unknown":      {[]string{"serve"}, "serve: unknown; known: write, cms"},
		"unknown flag": {[]string{"cms", "-x"}, "flag provided but not defined: -x"},
		"no config":    {[]string{"cms"}, "rebake.yaml: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := run(t.Context(), c.args, quiet); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestWrite_SaysTheAddresses(t *testing.T) {
	t.Chdir(t.TempDir())
	err := run(t.Context(), []string{"write", "-site", "127.0.0.1:1", "-cms", "127.0.0.1:2", "-listen", "127.0.0.1:3", "-admin", "127.0.0.1:4", "-redis", "127.0.0.1:5"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load("rebake.yaml", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Site, c.Sources["cms"].URL, c.Listen, c.Admin, c.Redis}
	want := []string{"http://127.0.0.1:1", "http://127.0.0.1:2/wp-json/wp/v2", "127.0.0.1:3", "127.0.0.1:4", "redis://127.0.0.1:5"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}

func TestWrite_OverwritesNothing(t *testing.T) {
	file := site(t, addresses{site: "s", redis: "r"})
	err := write(filepath.Dir(file), addresses{})
	if err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("error %v, want one that says what to do", err)
	}
}

// rebakeThat answers triggers with each status once, and then with the last.
func rebakeThat(t *testing.T, statuses ...int) (addr string, last *atomic.Value) {
	t.Helper()
	last = new(atomic.Value)
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := min(int(n.Add(1)), len(statuses)) - 1
		w.WriteHeader(statuses[i])
		if i == len(statuses)-1 {
			last.Store(r.Method + " " + r.URL.String())
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), last
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestServeCMS_TriggersItsPagesWhenRebakeIsUp(t *testing.T) {
	rebake, last := rebakeThat(t, http.StatusServiceUnavailable, http.StatusOK)
	cms := freeAddr(t)
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() {
		over <- serveCMS(ctx, site(t, addresses{site: "127.0.0.1:1", cms: cms, listen: rebake, admin: "127.0.0.1:4", redis: "127.0.0.1:5"}), cms, quiet)
	}()
	for deadline := time.Now().Add(time.Minute); last.Load() == nil && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	stop()
	if err := <-over; err != nil {
		t.Error(err)
	}
	if got, want := last.Load(), "POST /api/revalidate?tag=source%3Acms"; got != want {
		t.Errorf("it sent %v, want %v", got, want)
	}
}

func TestServeCMS_EndsWhenItsSecretIsWrong(t *testing.T) {
	rebake, _ := rebakeThat(t, http.StatusUnauthorized)
	cms := freeAddr(t)
	err := serveCMS(t.Context(), site(t, addresses{site: "127.0.0.1:1", cms: cms, listen: rebake, admin: "127.0.0.1:4", redis: "127.0.0.1:5"}), cms, quiet)
	if err == nil || !strings.Contains(err.Error(), "trigger source:cms: rebake answers 401 Unauthorized") {
		t.Errorf("error %v, want one of the answer", err)
	}
}

func TestServeCMS_OnlyWaitsWhenTheSourcesAreElsewhere(t *testing.T) {
	file := site(t, addresses{site: "127.0.0.1:1", cms: "192.0.2.1:80", listen: "127.0.0.1:3", admin: "127.0.0.1:4", redis: "127.0.0.1:5"})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	// It would not listen there: the address is nobody's.
	if err := serveCMS(ctx, file, "192.0.2.2:80", quiet); err != nil {
		t.Error(err)
	}
}
