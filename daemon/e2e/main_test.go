package e2e

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rebake/daemon"
)

// TestMain makes the test binary serve as `rebake` too, when it is called by
// that name: the whole program, built once, with the race detector if the tests
// have it.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "rebake" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(daemon.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, func() <-chan os.Signal {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGHUP)
		return c
	}))
}

// need skips a test where one of the programs is missing, but never in CI.
func need(t *testing.T, programs ...string) {
	t.Helper()
	var missing []string
	for _, name := range programs {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if _, err := os.Stat(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return
	}
	const install = "%s: not installed; scripts/test does that"
	if os.Getenv("CI") == "true" {
		t.Fatalf(install, strings.Join(missing, ", "))
	}
	t.Skipf(install, strings.Join(missing, ", "))
}

// hung is when a test gives up on a program that has to start, to answer or to
// end. How long that takes is not what is tested, and beside other tests it may
// be very long.
const hung = 3 * time.Minute

// await polls for a condition, since what is waited for happens in another
// process, and returns how long it took. It reports false after atMost. It looks
// every 10 ms at first and then ever rarer, up to 100 ms: what it asks does work
// of its own, on the machine that has to do what is waited for.
func await(atMost time.Duration, done func() bool) (time.Duration, bool) {
	started := time.Now()
	for !done() {
		took := time.Since(started)
		if took > atMost {
			return took, false
		}
		<-time.After(min(max(took/10, 10*time.Millisecond), 100*time.Millisecond))
	}
	return time.Since(started), true
}
