// Command benchmark measures Rebake as a user runs it: the real program, a real
// redis-server with fsync always, real files. It prints figures, and only misses
// judges them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to measure: build, accept, urgent, peers, misses")
	}
	switch args[0] {
	case "build":
		return benchBuild(ctx, args[1:])
	case "accept":
		return benchAccept(ctx, args[1:])
	case "urgent":
		return benchUrgent(ctx, args[1:])
	case "peers":
		return benchPeers(ctx, args[1:])
	case "misses":
		return benchMisses(ctx, args[1:])
	}
	return fmt.Errorf("%s: unknown; known: build, accept, urgent, peers, misses", args[0])
}

// prepare makes a directory for one measurement, with the program built into
// it, and prints where it is measured.
func prepare(ctx context.Context) (dir, program string, err error) {
	if dir, err = os.MkdirTemp("", "rebake-bench-"); err != nil {
		return "", "", err
	}
	program = filepath.Join(dir, "rebake")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./daemon/rebake").CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	fmt.Printf("%s %s/%s, %d CPUs, %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().Format(time.DateOnly))
	return dir, program, nil
}

func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
