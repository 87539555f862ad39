package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asProgram is the variable that makes this binary the program itself.
const asProgram = "PROCFILE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

const patience = 30 * time.Second // of a machine that does other things besides

// terminal collects what is printed.
type terminal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *terminal) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *terminal) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// procfile is a run in the background.
type procfile struct {
	t    *testing.T
	out  terminal
	stop context.CancelFunc
	over chan error
}

func runProcfile(t *testing.T, grace time.Duration, entries ...entry) *procfile {
	t.Helper()
	t.Parallel()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &procfile{t: t, stop: stop, over: make(chan error, 1)}
	go func() { p.over <- run(ctx, entries, &p.out, grace) }()
	t.Cleanup(stop)
	return p
}

// wait returns how the run ended.
func (p *procfile) wait() error {
	p.t.Helper()
	select {
	case err := <-p.over:
		return err
	case <-time.After(patience):
		p.t.Fatalf("it does not end; it printed:\n%s", &p.out)
		return nil
	}
}

func (p *procfile) await(text string) {
	p.t.Helper()
	await(p.t, "it prints "+text, func() bool { return strings.Contains(p.out.String(), text) })
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for: %s", what)
		}
	}
}

func TestRun_PrintsLinesUnderTheirNames(t *testing.T) {
	p := runProcfile(t, patience,
		entry{"a", `printf 'one\ntw'; printf 'o\n' >&2; printf 'no end'; exec sleep 60`},
		entry{"longer-than-us", "echo mine; exec sleep 60"})
	p.await("mine")
	p.await("two")
	p.stop()
	if err := p.wait(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a              | one\n", "a              | two\n", "a              | no end\n", "longer-than-us | mine\n", "procfile       | stopping\n",
	} {
		if !strings.Contains(p.out.String(), want) {
			t.Errorf("it printed:\n%swant %q in it", &p.out, want)
		}
	}
}

func TestRun_OneThatEndsEndsTheOthers(t *testing.T) {
	p := runProcfile(t, patience, entry{"stays", "exec sleep 60"}, entry{"fails", "exit 3"})
	err := p.wait()
	if want := "fails ended: exit status 3"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestRun_EndsInTheOppositeOrder(t *testing.T) {
	const politely = `trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.02; done`
	p := runProcfile(t, patience, entry{"first", politely}, entry{"second", politely}, entry{"third", politely})
	for _, name := range []string{"first", "second", "third"} {
		p.await(name + strings.Repeat(" ", len("procfile")-len(name)) + " | up")
	}
	p.stop()
	if err := p.wait(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(p.out.String()) {
		if name, found := strings.CutSuffix(line, " | bye\n"); found {
			got = append(got, strings.TrimSpace(name))
		}
	}
	if got, want := strings.Join(got, " "), "third second first"; got != want {
		t.Errorf("they ended in the order %q, want %q", got, want)
	}
}

func TestRun_OneThatDoesNotEndIsKilled(t *testing.T) {
	p := runProcfile(t, 50*time.Millisecond, entry{"deaf", "trap '' TERM; echo up; while :; do sleep 0.02; done"})
	p.await("up")
	p.stop()
	err := p.wait()
	if want := "deaf did not end within 50ms and was killed"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A shell may start others and end before them, with TERM ignored by all.
func TestRun_GrandchildrenDoNotOutliveIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	p := runProcfile(t, patience, entry{"shell", `trap '' TERM; sleep 60 & echo $! >"` + file + `"; trap 'exit' TERM; echo up; while :; do sleep 0.02; done`})
	p.await("up")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	p.stop()
	if err := p.wait(); err != nil {
		t.Fatal(err)
	}
	await(t, "the grandchild is gone", func() bool { return !alive(pid) })
}

// alive reports whether a process runs; one that nobody has waited for yet
// does not.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestStart_Refusals(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		names []string
		want  string
	}{
		"no Procfile":     {"", nil, "open Procfile: no such file or directory; start it where the Procfile is"},
		"broken":          {"redis\n", nil, `read Procfile: line 1: "redis" is no process; write it as NAME: COMMAND`},
		"an unknown name": {"a: true\n", []string{"b"}, "b: no such process in the Procfile; it has a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if c.text != "" {
				if err := os.WriteFile("Procfile", []byte(c.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := start(t.Context(), c.names, &terminal{}); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestStart_KilledItTakesItsProcessesWithIt(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Procfile"), []byte("a: echo $$ >pid.new && mv pid.new pid && exec sleep 60\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), asProgram+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }() // it was killed
	var pid int
	await(t, "the process runs", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "pid"))
		pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		return err == nil
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, "the process is gone", func() bool { return !alive(pid) })
}
