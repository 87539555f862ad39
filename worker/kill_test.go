package worker

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
)

// dieAt tells a process of TestKill at which place it has to die.
const dieAt = "REBAKE_TEST_DIE_AT"

// TestMain makes the test binary a process that accepts a trigger, works, and
// dies, when it is asked for that.
func TestMain(m *testing.M) {
	if place := os.Getenv(dieAt); place != "" {
		if err := victim(place); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(3) // it should be dead
	}
	// Most tests wait, for pauses and for times: as many run as the machine has
	// work for. -parallel says otherwise.
	_ = flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0)))
	goleak.VerifyTestMain(m)
}

// The places between which everything happens that a trigger is followed by.
const (
	render      = "in the middle of the render"
	enqueue     = "the enqueue of the wake-up"
	trigger     = "trigger"
	claiming    = "claim"
	fence       = "the fence" // renew.lua, asked within the page's lock
	finish      = "finish"
	fail        = "fail"
	beforePlace = "before "
	afterPlace  = "after "
)

var killPlaces = []string{
	beforePlace + trigger, afterPlace + trigger, // 1, 2
	beforePlace + enqueue, afterPlace + enqueue, // 3, 4
	beforePlace + claiming, afterPlace + claiming, // 5, 6
	render,                                  // 7
	beforePlace + fence, afterPlace + fence, // 8, 9: before any file is touched
	beforePlace + finish, afterPlace + finish, // 10, 11: the files are renamed
	afterPlace + fail, // 12
}

// H110: a process that is killed at any step of accepting and rendering loses
// nothing that it has accepted, and leaves no torn page.
func TestKill_H110_AtEachPlace(t *testing.T) {
	for i, place := range killPlaces {
		t.Run(fmt.Sprintf("%d %s", i+1, place), func(t *testing.T) {
			s := newWebsite(t)
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			var out, log bytes.Buffer
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), dieAt+"="+place, "REBAKE_TEST_REDIS="+s.redis.Addr(), "REBAKE_TEST_DIR="+s.dir)
			cmd.Stdout, cmd.Stderr = &out, &log
			err = cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the process did not die %s: %v\n%s", place, err, &log)
			}
			accepted := out.String() == "accepted\n"
			if got := s.served("/a"); got != "" && got != html("new") {
				t.Errorf("%q is served after the kill", got)
			}

			s.set("/a", "new")
			p := s.running(quick)
			if !accepted { // so its sender sends it again
				p.trigger(ledger.Default, "/a")
			}
			p.await("/a", ledger.PageFresh)
			s.wantServed("/a", "new")
			if place == beforePlace+trigger && accepted {
				t.Error("a trigger is accepted that was not sent to the ledger")
			}
		})
	}
}

// victim accepts a trigger for /a and works until it dies. With the place after
// a failure, the source fails at first.
func victim(place string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	opts, err := redis.ParseURL(os.Getenv("REBAKE_TEST_REDIS"))
	if err != nil {
		return err
	}
	opts.ContextTimeoutEnabled = true
	rdb := redis.NewClient(opts)
	set := settings{Config: DefaultConfig(), ledger: ledger.DefaultConfig(host)}
	quick(&set)
	l, err := ledger.Open(ctx, rdb, set.ledger)
	if err != nil {
		return err
	}
	dir := os.Getenv("REBAKE_TEST_DIR")
	out, err := output.Open(output.Config{Dir: filepath.Join(dir, "public"), State: filepath.Join(dir, "state"), Compress: []string{"gzip"}})
	if err != nil {
		return err
	}
	pages := newFakeRenderer()
	pages.set("/a", "new")
	if place == render || place == afterPlace+fail {
		pages.on("/a", func(context.Context, int, string) (string, error) {
			if place == render {
				die()
			}
			return "", storage.Temporary(errors.New("the source is down"))
		})
	}
	scripts, err := scriptNames()
	if err != nil {
		return err
	}
	w := New(set.Config, Parts{Redis: rdb, Ledger: l, Feed: l.Feed(), Output: out, Renderer: pages, Log: slog.New(slog.DiscardHandler)})
	rdb.AddHook(assassin{place: place, scripts: scripts})
	go func() { _ = w.Run(ctx) }()
	<-w.slots.opened
	if _, err := w.Accept(ctx, Trigger{Paths: onePath("/a"), Priority: ledger.Default, Reason: "test"}); err != nil {
		return err
	}
	fmt.Println("accepted")
	<-ctx.Done()
	return errors.New("it came past the place at which it should have died")
}

// die does not return.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// scriptNames returns the ledger's scripts by the names that Redis has for them.
func scriptNames() (map[string]string, error) {
	names := make(map[string]string)
	for _, name := range []string{trigger, claiming, "renew", finish, fail} {
		var text strings.Builder
		for _, part := range []string{"base", "page", name} {
			f, err := os.Open(filepath.Join("../storage/ledger/lua", part+".lua"))
			if err != nil {
				return nil, err
			}
			_, err = io.Copy(&text, f)
			if err := errors.Join(err, f.Close()); err != nil {
				return nil, err
			}
		}
		names[redis.NewScript(text.String()).Hash()] = name
	}
	return names, nil
}

// assassin kills the process before or after a step is asked of Redis.
type assassin struct {
	place   string
	scripts map[string]string // names by hash
}

// step names what a command is about, "" for one that is none of the places.
func (a assassin) step(cmd redis.Cmder) string {
	args := cmd.Args()
	if cmd.Name() != "evalsha" && cmd.Name() != "eval" || len(args) < 4 {
		return ""
	}
	text := fmt.Sprint(args[1])
	if cmd.Name() == "eval" {
		text = redis.NewScript(text).Hash()
	}
	switch name, key := a.scripts[text], fmt.Sprint(args[3]); {
	case name == "renew" && fmt.Sprint(args[len(args)-1]) != "": // a file is there or not
		return fence
	case name == "renew":
		return ""
	case name == "" && strings.HasPrefix(key, "asynq:{default}:t:"):
		return enqueue
	default:
		return name
	}
}

func (a assassin) around(cmds []redis.Cmder, next func() error) error {
	for _, cmd := range cmds {
		if step := a.step(cmd); step != "" && beforePlace+step == a.place {
			die()
		}
	}
	err := next()
	for _, cmd := range cmds {
		if step := a.step(cmd); step != "" && afterPlace+step == a.place && cmd.Err() == nil {
			die()
		}
	}
	return err
}

func (a assassin) DialHook(next redis.DialHook) redis.DialHook { return next }

func (a assassin) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return a.around([]redis.Cmder{cmd}, func() error { return next(ctx, cmd) })
	}
}

func (a assassin) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return a.around(cmds, func() error { return next(ctx, cmds) })
	}
}
