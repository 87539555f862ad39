package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// stopTime is how long a child may take to end by itself.
const stopTime = 20 * time.Second

// Process is a child in a process group of its own: Ctrl-C reaches the torturer
// alone, which then ends its children. Its output goes to a file.
type Process struct {
	Name string
	// Started is when it was started: a recovery counts from here.
	Started time.Time

	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// Start starts a child whose output is appended to a file in the lab. The lab
// ends it, if nobody does before.
func (l *Lab) Start(name string, cmd *exec.Cmd) (*Process, error) {
	p := &Process{Name: name, Started: time.Now(), cmd: cmd, log: l.Path(name + ".log"), ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = cmd.Wait() // however it ended, it has
		close(p.ended)
	}()
	l.OnClose(p.Stop)
	return p, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process alone, not to its children.
func (p *Process) Signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("send %s to %s: %w", s, p.Name, err)
	}
	return nil
}

// Kill ends the process with SIGKILL and returns when it is gone. Its children
// stay.
func (p *Process) Kill() error {
	err := p.Signal(syscall.SIGKILL)
	<-p.ended
	return err
}

// Terminate asks the process to end and waits for it.
func (p *Process) Terminate() error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTime):
		return fmt.Errorf("%s did not end within %s of SIGTERM\n%s", p.Name, stopTime, p.Said())
	}
}

// Stop ends the process, wakes it if it sleeps, and ends what is left of its
// group.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTime):
	}
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	<-p.ended
}

// Ended is closed when the process is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Await waits until done says so, and no longer when the process has ended.
func (p *Process) Await(ctx context.Context, within time.Duration, done func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not ready within %s", within))
	defer cancel()
	for !done() {
		select {
		case <-p.ended:
			return fmt.Errorf("%s has ended\n%s", p.Name, p.Said())
		case <-ctx.Done():
			return fmt.Errorf("%s: %w\n%s", p.Name, context.Cause(ctx), p.Said())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// Said is the end of what it, and others of its name, have written.
func (p *Process) Said() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	const most = 4 << 10
	return string(text[max(0, len(text)-most):])
}

// Sleep waits, and no longer than ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Poll looks until done says so; false when that takes longer than within.
func Poll(ctx context.Context, within time.Duration, done func() bool) (bool, error) {
	for end := time.Now().Add(within); !done(); {
		if time.Now().After(end) {
			return false, nil
		}
		if err := Sleep(ctx, 10*time.Millisecond); err != nil {
			return false, err
		}
	}
	return true, nil
}

// needProgram says where a program comes from that is not there.
func needProgram(name string) (string, error) {
	for _, n := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} { // not in every user's PATH
		if program, err := exec.LookPath(n); err == nil {
			return program, nil
		}
	}
	return "", errors.New(name + " is not installed: run scripts/torture as root on Debian, or install it")
}
