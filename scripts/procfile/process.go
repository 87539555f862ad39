package main

import (
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running entry, with all that it has started in turn.
type process struct {
	name string
	cmd  *exec.Cmd
	over chan struct{} // closed when it was waited for
}

// fork starts an entry in a process group of its own: Ctrl-C in the terminal
// is for this program alone, which passes it on in its order. Should this
// program be killed, the kernel ends the process (Pdeathsig), which goes by
// the thread that forked; so one goroutine keeps the thread until then.
func fork(e entry, out *lineWriter) (*process, error) {
	cmd := exec.Command("sh", "-c", e.command)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	// A grandchild that keeps the pipe open does not hold up the end.
	cmd.WaitDelay = time.Second
	p := &process{name: e.name, cmd: cmd, over: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // however it ended, it has
			out.flush()
			close(p.over)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// stop ends the process and everything in its group, politely first. It
// returns when all are over, and reports whether that was within the grace.
func (p *process) stop(grace time.Duration) bool {
	p.signal(syscall.SIGTERM)
	inTime := true
	select {
	case <-p.over:
	case <-time.After(grace):
		inTime = false
	}
	p.signal(syscall.SIGKILL) // also for what outlived its parent
	<-p.over
	return inTime
}

// signal reaches the whole group; it is no error when nobody is left in it.
func (p *process) signal(sig syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, sig) }
