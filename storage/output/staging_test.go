package output

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// holdOpen is a child of TestMain: it has an output open until it is killed.
func holdOpen() {
	d, err := Open(Config{Dir: os.Getenv("DIR"), State: os.Getenv("STATE")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(d.staging)
	select {}
}

func TestOpen_SweepsStagingOfDeadProcessesOnly(t *testing.T) {
	base := t.TempDir()
	// A state whose name is a pattern must be swept too.
	cfg := Config{Dir: filepath.Join(base, "public"), State: filepath.Join(base, "st[a]te*")}
	cmd := child("hold", "DIR="+cfg.Dir, "STATE="+cfg.State)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child did not open the output")
	}
	theirs := lines.Text()
	leftover := filepath.Join(theirs, ".index.html123")
	if err := os.WriteFile(leftover, []byte("half a page"), 0o600); err != nil {
		t.Fatal(err)
	}
	openSite(t, cfg)
	if _, err := os.Stat(leftover); err != nil {
		t.Errorf("the staging of a living process was swept: %v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	s := openSite(t, cfg)
	if _, err := os.Stat(theirs); !os.IsNotExist(err) {
		t.Errorf("the staging of a dead process is still there: %v", err)
	}
	s.put("/a", "x")
}

func TestOpen_RemovesProbeOfStartThatDied(t *testing.T) {
	s := newSite(t)
	s.write(".rebake-probe", "")
	s.again()
	s.wantNames("")
}

func TestOpen_ManyAtOnce(t *testing.T) {
	base := t.TempDir()
	cfg := Config{Dir: filepath.Join(base, "public"), State: filepath.Join(base, "state")}
	results := make(chan error)
	const many = 8
	for range many {
		go func() {
			d, err := Open(cfg)
			if err == nil {
				err = d.Close()
			}
			results <- err
		}()
	}
	for range many {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if list, _ := os.ReadDir(cfg.Dir); len(list) > 0 {
		t.Errorf("the output holds %v", list)
	}
}

func TestDir_EmptySaysWhetherAnythingIsThere(t *testing.T) {
	s := newSite(t)
	if empty, err := s.Empty(); !empty || err != nil {
		t.Errorf("a new output is empty: %v, %v", empty, err)
	}
	s.put("/", "x")
	if empty, err := s.Empty(); empty || err != nil {
		t.Errorf("an output with a page is empty: %v, %v", empty, err)
	}
}
