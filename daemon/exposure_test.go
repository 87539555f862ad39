package daemon

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rebake/daemon/config"
)

// H115: with all files open that it may open, the program turns visitors away,
// and goes on when they have gone.
func TestServe_H115_OutOfOpenFiles(t *testing.T) {
	s := newTestSite(t, "redis: memory")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const limit = 560
	shell := filepath.Join(t.TempDir(), "limited")
	if err := os.WriteFile(shell, fmt.Appendf(nil, "#!/bin/sh\nulimit -n %d\nexec %s \"$@\"\n", limit, rebakeLink(t, exe)), 0o700); err != nil {
		t.Fatal(err)
	}
	p := s.startProgram(exec.Command(shell, "serve", "--config", filepath.Join(s.dir, "rebake.yaml")))
	s.awaitReadyz(p, http.StatusOK)
	s.source.edit("a")
	s.mustTrigger("/p/a")
	s.await("the page is published", patience, func() bool { return s.shows("a") })

	files := func() int {
		list, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
		return len(list)
	}
	var crowd []net.Conn
	s.await("all files are open", patience, func() bool {
		for range 20 {
			if c, err := net.DialTimeout("tcp", s.listen, time.Second); err == nil {
				crowd = append(crowd, c)
			}
		}
		return files() >= limit-1
	})
	s.source.edit("a")
	for _, c := range crowd {
		_ = c.Close()
	}
	s.await("a trigger is accepted again", patience, func() bool {
		status, _ := s.trigger(map[string][]string{"path": {"/p/a"}})
		return status == http.StatusOK
	})
	s.await("the page is published again", patience, func() bool { return s.shows("a") })
	select {
	case <-p.ended:
		t.Error("rebake has ended")
	default:
	}
}

// H124: what is not for the public listens on this machine alone, and shows
// nothing of the program's inside.
func TestServe_H124_AdminIsNotForOtherMachines(t *testing.T) {
	s := newTestSite(t, "redis: memory")
	s.start()
	for _, addr := range []string{s.listen, s.admin} {
		_, port, _ := net.SplitHostPort(addr)
		if got := listening(t, port); !slices.Equal(got, []string{"127.0.0.1"}) {
			t.Errorf("port %s listens at %v, want this machine alone", port, got)
		}
	}
	token := strings.TrimSpace(read(t, s, ".rebake/admin-token"))
	for path, want := range map[string]int{"/debug/pprof/": http.StatusNotFound, "/debug/vars": http.StatusNotFound, "/v1/status": http.StatusOK} {
		if got := s.adminStatus(path, token); got != want {
			t.Errorf("%s with the token: %d, want %d", path, got, want)
		}
		if got := s.adminStatus(path, ""); got != http.StatusUnauthorized && got != http.StatusNotFound {
			t.Errorf("%s without a token: %d", path, got)
		}
	}
	if d := config.Default(); !strings.HasPrefix(d.Listen, "127.0.0.1:") || !strings.HasPrefix(d.Admin, "127.0.0.1:") {
		t.Errorf("without addresses in the config it listens at %s and %s", d.Listen, d.Admin)
	}
}

func (s *testSite) adminStatus(path, token string) int {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+s.admin+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// listening returns the addresses at which somebody listens on a port, as the
// kernel knows them.
func listening(t *testing.T, port string) (list []string) {
	t.Helper()
	const listen = "0A"
	var want int
	if _, err := fmt.Sscan(port, &want); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := os.ReadFile(table)
		for _, line := range strings.Split(string(b), "\n")[1:] {
			f := strings.Fields(line)
			if len(f) < 4 || f[3] != listen || !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", want)) {
				continue
			}
			host, _, _ := strings.Cut(f[1], ":")
			ip, err := hex.DecodeString(host)
			if err != nil {
				t.Fatal(err)
			}
			slices.Reverse(ip) // an IPv4 address is one number of this machine
			list = append(list, net.IP(ip).String())
		}
	}
	return list
}
