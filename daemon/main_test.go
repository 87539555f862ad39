package daemon

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"rebake/daemon/setup/setuptest"
)

// TestMain makes the test binary serve as `rebake` too, for the scripts in
// testdata and for the tests that kill whole processes.
func TestMain(m *testing.M) {
	// Most tests wait, for pauses and for processes: as many run as the machine
	// has work for. -parallel says otherwise.
	_ = flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0)))
	testscript.Main(m, map[string]func(){"rebake": func() {
		os.Exit(Main(UntilSignal(), os.Args[1:], os.Stdout, os.Stderr, HangupSignals))
	}})
}

// TestScripts runs the command lines that users type, each file one story.
func TestScripts(t *testing.T) {
	needRedis(t)
	testscript.Run(t, testscript.Params{
		Dir:  filepath.Join("testdata", "script"),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"quiet": quiet},
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("REBAKE_SECRET", "a-secret-that-nobody-would-guess")
			// Sites to look at.
			env.Setenv("WORDPRESS", setuptest.Serve(setuptest.WordPress{}, env.Defer))
			env.Setenv("NEXT", setuptest.Serve(setuptest.Next{}, env.Defer))
			env.Setenv("PLAIN", setuptest.Serve(setuptest.Plain{}, env.Defer))
			return nil
		},
	})
}

// tookTooLong is in what is logged on a machine that is busy with other things.
var tookTooLong = regexp.MustCompile(`deadline exceeded|i/o timeout|not done within|Lease reset failed`)

// quiet wants that the last command has said nothing on standard error, but for
// what has taken too long.
func quiet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: quiet")
	}
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		if !tookTooLong.MatchString(line) {
			ts.Fatalf("on standard error: %s", line)
		}
	}
}

// needRedis skips a test where redis-server is missing, but never in CI.
func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed: run scripts/test")
		}
		t.Skip("redis-server is not installed: run scripts/test")
	}
}
