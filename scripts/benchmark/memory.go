package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// memory is the peak memory of some processes.
type memory struct {
	total int      // MB
	parts []string // "redis-server 12"
}

func (m *memory) add(name string, mb int) {
	m.total += mb
	m.parts = append(m.parts, fmt.Sprintf("%s %d", name, mb))
}

// addTree adds a process and all below it, each with its own peak: what the
// kernel has counted since the process began (VmHWM).
func (m *memory) addTree(pid int) error {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	name, _, _ := strings.Cut(field(status, "Name"), " ") // Next.js' has its version after it
	m.add(name, number(field(status, "VmHWM"))/1024)
	for _, child := range children(pid) {
		if err := m.addTree(child); err != nil {
			return err
		}
	}
	return nil
}

// children are those of all threads of the process: each may have forked.
func children(pid int) []int {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	threads, _ := os.ReadDir(dir) // gone when the process is
	var pids []int
	for _, t := range threads {
		b, _ := os.ReadFile(dir + "/" + t.Name() + "/children")
		for _, s := range strings.Fields(string(b)) {
			pids = append(pids, number(s))
		}
	}
	return pids
}

// field returns a value of /proc/PID/status or of /proc/meminfo.
func field(status []byte, name string) string {
	for line := range bytes.Lines(status) {
		if key, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// number reads "1234" and "1234 kB"; 0 for anything else.
func number(s string) int {
	digits, _, _ := strings.Cut(s, " ")
	n, _ := strconv.Atoi(digits)
	return n
}

// peakMB is the peak memory of a command that has ended.
func peakMB(cmd *exec.Cmd) int {
	return int(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss / 1024)
}
