package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// stopTime is how long a child may take to end by itself.
const stopTime = 15 * time.Second

// process is a server that the benchmark started, in a process group of its
// own: Ctrl-C reaches the benchmark alone, which then stops its children.
type process struct {
	name  string
	cmd   *exec.Cmd
	said  *tail
	ended chan struct{}
}

// start starts a server. Whoever starts one stops it.
func start(name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: cmd, said: new(tail), ended: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = cmd.Wait() // however it ended, it has
		close(p.ended)
	}()
	return p, nil
}

// stop asks the process to end, waits for that, and ends what is left of its
// group.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTime):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// await waits until done says so, and no longer when the process has ended.
func (p *process) await(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.ended:
			cancel(errors.New("it has ended"))
		case <-ctx.Done():
		}
	}()
	if err := await(ctx, done); err != nil {
		return fmt.Errorf("%s: %w: %w\n%s", p.name, err, context.Cause(ctx), p.said)
	}
	return nil
}

// runCommand runs a command to its end and returns what it wrote to stdout. When ctx
// ends, the command's whole process group does.
func runCommand(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	said := new(tail)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, said), said
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	over := make(chan struct{})
	defer close(over)
	stop := context.AfterFunc(ctx, func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // rebake has a redis-server to end
		select {
		case <-over:
		case <-time.After(stopTime):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	defer stop()
	err := cmd.Wait()
	if ctx.Err() != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it has left behind
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", cmd, errors.Join(context.Cause(ctx), err), said)
	}
	return out.Bytes(), nil
}

// tail keeps the end of what a child writes, for when it fails.
type tail struct {
	mu   sync.Mutex
	text []byte // guarded by mu
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 4 << 10
	t.text = append(t.text, b...)
	if len(t.text) > 2*most {
		t.text = append([]byte(nil), t.text[len(t.text)-most:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
