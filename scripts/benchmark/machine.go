package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// printMachine prints on what the peers are measured: the processor, the
// memory, the disk below dir, and the versions of the programs that are not
// installed for it.
func printMachine(ctx context.Context, dir string) error {
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	ram, _ := os.ReadFile("/proc/meminfo")
	disk, err := measureFsync(dir)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d GB, %s, a new file is on disk in %.2f ms\n", field(cpu, "model name"), (number(field(ram, "MemTotal"))+1<<19)>>20, fileSystem(dir), ms(disk))
	nginx, err := findNginx()
	if err != nil {
		return err
	}
	var versions []string
	for _, p := range []struct{ name, program, arg string }{
		{"Node.js", "node", "--version"}, {"redis", "redis-server", "--version"}, {"nginx", nginx, "-v"},
	} {
		out, err := exec.CommandContext(ctx, p.program, p.arg).CombinedOutput() // nginx tells stderr
		if err != nil {
			return fmt.Errorf("%s is needed: %w", p.name, err)
		}
		versions = append(versions, p.name+" "+version(string(out)))
	}
	fmt.Println(strings.Join(versions, ", "))
	return nil
}

// version finds the first number with two dots in what a program says.
func version(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
		if strings.Count(word, ".") == 2 {
			return word
		}
	}
	return "?"
}

// fileSystem is the kind of file system that a directory is on.
func fileSystem(dir string) string {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	kind, longest := "?", 0
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 3 || len(f[1]) < longest {
			continue
		}
		if rel, err := filepath.Rel(f[1], dir); err == nil && filepath.IsLocal(rel) {
			kind, longest = f[2], len(f[1])
		}
	}
	return kind
}

// measureFsync is the time, in the middle of many, that a small new file takes
// to be written and on disk.
func measureFsync(dir string) (time.Duration, error) {
	var took []time.Duration
	for i := range 101 {
		started := time.Now()
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("fsync-%d", i)))
		if err != nil {
			return 0, err
		}
		_, err = f.Write(make([]byte, 4<<10))
		if err == nil {
			err = f.Sync()
		}
		_ = f.Close()
		if err != nil {
			return 0, err
		}
		took = append(took, time.Since(started))
		_ = os.Remove(f.Name())
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
