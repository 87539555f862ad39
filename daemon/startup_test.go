package daemon

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rebake/storage/redistest"
)

// refuses runs a command that has to end with the exit code, and has to say
// all texts.
func (s *testSite) refuses(code int, args []string, texts ...string) {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), rebakeLink(s.t, exe), append(args, "--config", filepath.Join(s.dir, "rebake.yaml"))...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		s.t.Fatalf("rebake %v: it went on, and said %s", args, out)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("rebake %v: exit code %d, want %d", args, got, code)
	}
	s.wantText(args, string(out), texts)
}

// line is the place of a key of the config, as errors name it.
func (s *testSite) line(key string) string {
	s.t.Helper()
	for i, text := range strings.Split(read(s.t, s, "rebake.yaml"), "\n") {
		if strings.HasPrefix(text, key+":") {
			return fmt.Sprintf("rebake.yaml:%d: %s: ", i+1, key)
		}
	}
	s.t.Fatalf("the config has no %s", key)
	return ""
}

// published starts the site, publishes the pages and stops it.
func (s *testSite) published(slugs ...string) {
	s.t.Helper()
	p := s.start()
	for _, slug := range slugs {
		s.source.edit(slug)
		if status, text := s.trigger(url.Values{"path": {"/p/" + slug}, "wait": {"1m"}}); status != 200 {
			s.t.Fatalf("publish %s: %d %s", slug, status, text)
		}
	}
	p.stop()
}

// H116: a second daemon on an output finds it locked, when it has the same
// config (TestServe_Refuses), or owned, when it has another.
func TestServe_H116_OutputOfAnother(t *testing.T) {
	// Two configs, and a Redis for each, over one output.
	sites := func(t *testing.T) (first, second *testSite) {
		t.Helper()
		t.Parallel()
		first = newTestSite(t, "redis: "+redistest.Start(t).Addr())
		first.published("a")
		second = newTestSite(t, "redis: "+redistest.Start(t).Addr()+"\nstate: ./.rebake")
		second.replace("rebake.yaml", "output: ./public", "output: "+first.dir+"/public")
		return first, second
	}

	t.Run("state and Redis is refused until it is taken over", func(t *testing.T) {
		first, second := sites(t)
		want := []string{second.line("state") + "another rebake, with the state " + first.dir + "/.rebake", "rebake build --adopt"}
		second.refuses(exitConfig, words("serve"), want...)
		second.refuses(exitConfig, words("build"), want...)
		second.refuses(exitFailed, words("check"), want[0])
		second.mustRun(words("build --adopt"), "1 files adopted")
		second.start()
		first.refuses(exitConfig, words("serve"), "state: another rebake, with the state "+second.dir)
	})

	t.Run("site is refused", func(t *testing.T) {
		_, second := sites(t)
		second.replace("rebake.yaml", "site: https://www.example.com", "site: https://other.example.com")
		second.refuses(exitConfig, words("serve"), second.line("output")+"/", "holds the pages of www.example.com: give this site a directory of its own")
	})

	t.Run("Redis is refused until it is taken over", func(t *testing.T) {
		first, _ := sites(t)
		_, old, _ := strings.Cut(read(t, first, "rebake.yaml"), "\nredis: ")
		old, _, _ = strings.Cut(old, "\n")
		first.replace("rebake.yaml", "redis: "+old, "redis: "+redistest.Start(t).Addr())
		first.refuses(exitConfig, words("serve"), first.line("redis")+"the pages in "+first.dir+"/public are known to another Redis ("+old+")", "rebake build --adopt")
		first.mustRun(words("build --adopt"), "1 files adopted")
		first.published("b")
	})
}

func TestServe_OutputKeepsItsOwnerThroughRestartsAndMoves(t *testing.T) {
	needRedis(t)
	s := newTestSite(t, "")
	s.published("a")
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(s.dir, moved); err != nil {
		t.Fatal(err)
	}
	s.dir = moved
	s.published("b")
	if names, _ := filepath.Glob(filepath.Join(s.dir, "public", ".*")); len(names) > 0 {
		t.Errorf("the output holds %v", names)
	}
}

// H101: the disk of the output is not mounted, and the start finds the mount
// point.
func TestServe_H101_OutputWithoutItsPagesIsRefused(t *testing.T) {
	for name, inPlace := range map[string][]string{
		"empty":                     nil,
		"with somebody else's file": {"public/robots.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needRedis(t)
			s := newTestSite(t, "")
			s.published("a", "b", "c", "d", "e")
			public, away := filepath.Join(s.dir, "public"), filepath.Join(s.dir, "away")
			if err := os.Rename(public, away); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(public, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, file := range inPlace {
				s.write(file, "")
			}
			want := "output " + public + " holds none of the pages that the ledger knows: mount its disk"
			s.refuses(exitFailed, words("serve"), want, "rebake build --rebuild")
			s.refuses(exitFailed, words("build"), want)
			s.mustRun(words("build --rebuild"))
			for _, slug := range words("a b c d e") {
				if !s.shows(slug) {
					t.Errorf("page %s was not made again: %q", slug, s.file(slug))
				}
			}
			s.published("f")
		})
	}
}

func TestServe_PagesThatWereDeletedByHandAreNoReasonToRefuse(t *testing.T) {
	needRedis(t)
	s := newTestSite(t, "")
	s.published("a", "b")
	if err := os.RemoveAll(filepath.Join(s.dir, "public/p/a")); err != nil {
		t.Fatal(err)
	}
	s.published("c")
}

// H102: a rename between two disks is none.
func TestServe_H102_StateOnAnotherDisk(t *testing.T) {
	s := newTestSite(t, "redis: memory")
	state, err := os.MkdirTemp("/dev/shm", "rebake")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("there is no other disk:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(state) })
	s.write("rebake.yaml", read(t, s, "rebake.yaml")+"\nstate: "+state+"\n")
	s.refuses(exitConfig, words("serve"), s.line("state")+"state ("+state+") and output ("+s.dir+"/public) are on different file systems", "set state to a directory beside output")
	s.refuses(exitFailed, words("check"), s.line("state")+"state ("+state)
}

// H115: with a limit on open files that no page comes through with, the start
// says so, with the exit code that systemd does not restart on.
func TestServe_H115_TooFewOpenFiles(t *testing.T) {
	s := newTestSite(t, "redis: memory")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -n 64; exec "$@"`, "sh", rebakeLink(t, exe), "serve", "--config", filepath.Join(s.dir, "rebake.yaml"))
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitConfig {
		t.Errorf("%v, want exit code %d", err, exitConfig)
	}
	s.wantText(words("serve"), string(out), []string{s.line("workers") + "16 need 512 open files, and the limit is 64: raise it (LimitNOFILE=65536"})
}
