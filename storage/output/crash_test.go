package output

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rebake/storage"
)

// crashPages is how many pages the child goes round, so that none of them
// changes so often that it has to wait for its second.
const crashPages = 50

// publishForEver is a child of TestMain: it publishes one version after the
// other until it is killed, and says so on its output.
func publishForEver() {
	d, err := Open(Config{Dir: os.Getenv("DIR"), State: os.Getenv("STATE"), Compress: []string{"gzip", "br"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	version, _ := strconv.Atoi(os.Getenv("VERSION"))
	for ; ; version++ {
		_, err := d.Publish(context.Background(), page(crashPath(version), text(version, 20_000)), storage.Published{}, allow)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(version)
	}
}

func crashPath(version int) string { return fmt.Sprintf("/p%d", version%crashPages) }

func TestPublish_H104_H108_KilledAtRandomMoments(t *testing.T) {
	base := t.TempDir()
	cfg := Config{Dir: filepath.Join(base, "public"), State: filepath.Join(base, "state"), Compress: []string{"gzip", "br"}}
	last := 0      // the newest version that a child said was published
	leftovers := 0 // kills that left something in staging
	const kills = 30
	for range kills {
		last = publishUntilKilled(t, cfg, last+1)
		if list, _ := filepath.Glob(filepath.Join(cfg.State, "staging", "*", "*", ".*")); len(list) > 0 {
			leftovers++
		}
		for v := max(1, last-crashPages+2); v <= last+1; v++ {
			checkCrashed(t, cfg.Dir, v, last)
		}
	}
	t.Logf("%d versions, %d of %d kills left files in staging", last, leftovers, kills)
	openSite(t, cfg)
	if list, _ := os.ReadDir(filepath.Join(cfg.State, "staging")); len(list) != 1 {
		t.Errorf("staging holds %d folders after a start, want one", len(list))
	}
}

// publishUntilKilled runs a child for a few versions and some part of another,
// and returns the last that it said was done.
func publishUntilKilled(t *testing.T, cfg Config, from int) int {
	t.Helper()
	cmd := child("publish", "DIR="+cfg.Dir, "STATE="+cfg.State, "VERSION="+strconv.Itoa(from))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var kill *time.Timer
	last := from - 1
	for n := rand.IntN(8); lines.Scan(); n-- {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Errorf("the child says %q", lines.Text())
		}
		if n == 0 {
			kill = time.AfterFunc(rand.N(5*time.Millisecond), func() { _ = cmd.Process.Kill() })
		}
	}
	if kill == nil {
		t.Error("the child ended by itself")
	}
	_ = cmd.Wait()
	return last
}

// checkCrashed looks at the page that version v belongs to. Only the version
// after the last that was said to be done may be there or not.
func checkCrashed(t *testing.T, dir string, v, last int) {
	t.Helper()
	file := filepath.Join(dir, parse(crashPath(v)).File())
	body, err := os.ReadFile(file)
	got := versionOf(string(body))
	older := v - crashPages
	switch {
	case v > last && older < 1 && errors.Is(err, fs.ErrNotExist):
	case v > last && got == older:
	case got == v:
	default:
		t.Errorf("%s holds %d bytes of version %d (%v), want all of version %d", file, len(body), got, err, v)
	}
	for _, suffix := range suffixes {
		plain, err := decode(file+suffix, suffix)
		switch {
		case errors.Is(err, fs.ErrNotExist) && v > last:
		case err != nil:
			t.Errorf("%s%s: %v", file, suffix, err)
		case plain != string(body):
			t.Errorf("%s%s holds version %d beside a page of version %d", file, suffix, versionOf(plain), got)
		}
	}
}

// versionOf returns the version of a complete page, -1 of anything else.
func versionOf(body string) int {
	_, rest, _ := strings.Cut(body, "version ")
	digits, _, _ := strings.Cut(rest, " ")
	v, err := strconv.Atoi(digits)
	if err != nil || body != text(v, 20_000) {
		return -1
	}
	return v
}
