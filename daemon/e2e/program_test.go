package e2e

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is a command that runs beside the test. What it writes is shown when
// the test fails.
type program struct {
	t     *testing.T
	name  string
	guard *exec.Cmd
	leash io.Closer     // see start
	ended chan struct{} // closed when nothing is left of it
	log   *lockedBuffer
}

// start runs a command in a process group of its own, whose first process is a
// shell that ends the group when its input does. So nothing outlives the test,
// however that ends, also what the command forks: php's workers do not end with
// their parent.
func start(t *testing.T, env []string, name string, args ...string) *program {
	t.Helper()
	p := &program{t: t, name: name, ended: make(chan struct{}), log: new(lockedBuffer)}
	p.guard = exec.Command("/bin/sh", append([]string{"-c", `"$@" & read -r _; kill 0`, "sh", name}, args...)...)
	p.guard.Env = append(os.Environ(), env...)
	p.guard.Stdout, p.guard.Stderr = p.log, p.log // a pipe: Wait waits for all who hold it
	p.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if p.leash, err = p.guard.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.guard.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.guard.Wait() // by our own signal
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, p.log)
		}
	})
	return p
}

// stop ends the program and waits for it. It is no error when it is over.
func (p *program) stop() {
	p.t.Helper()
	_ = p.leash.Close()
	select {
	case <-p.ended:
	case <-time.After(hung):
		p.t.Errorf("%s did not end; killed", p.name)
		_ = syscall.Kill(-p.guard.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
}

// awaitReady waits until the program does what it is for.
func (p *program) awaitReady(ready func() bool) {
	p.t.Helper()
	if took, ok := await(hung, ready); !ok {
		p.t.Fatalf("%s is not ready after %s", p.name, took)
	}
}

// run runs a command to its end, and returns its output.
func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out, &stderr)
	}
	return string(out)
}

// lockedBuffer is written by a process and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
