package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// inject has strace spoil the fsyncs of a running server, on some files or, with
// none, on all. It returns when that has begun; it ends with the strace that is
// returned, or with the server.
func inject(ctx context.Context, lab *Lab, server *Server, files []string, how string) (*Process, error) {
	program, err := needProgram("strace")
	if err != nil {
		return nil, err
	}
	args := []string{"-f", "-o", lab.Path("fsyncs"), "-p", strconv.Itoa(server.PID()), "-e", "trace=fsync,fdatasync", "-e", how}
	for _, name := range files {
		args = append(args, "-P", name)
	}
	_ = os.Remove(lab.Path("strace.log"))
	p, err := lab.Start("strace", exec.Command(program, args...))
	if err != nil {
		return nil, err
	}
	return p, p.Await(ctx, 10*time.Second, func() bool { return strings.Contains(p.Said(), " attached") })
}

// injected is what strace has seen, with "(INJECTED)" at what it has spoilt.
func injected(lab *Lab) string {
	text, _ := os.ReadFile(lab.Path("fsyncs")) // none, when nothing was seen
	return string(text)
}
