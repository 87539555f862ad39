package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// serviceUser is who runs Rebake where no other user would do.
const serviceUser = "rebake"

// program is where systemd finds Rebake. A binary of "go run" is gone
// tomorrow.
func program() string {
	const installed = "/usr/local/bin/rebake"
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	if err != nil || strings.HasPrefix(exe, filepath.Clean(os.TempDir())+"/") || strings.Contains(exe, "/go-build") {
		return installed
	}
	return exe
}

// executable is where this program lies now; "rebake" for one that is gone
// tomorrow, which its user has to build.
func executable() string {
	exe, err := os.Executable()
	if err != nil || strings.Contains(exe, "/go-build") {
		return "rebake"
	}
	return exe
}

// runsAs is the user for the unit: the one at the keyboard, or for root the
// owner of the folder. Root itself would be more than it needs.
func runsAs(dir string) string {
	uid := os.Getuid()
	if uid == 0 {
		if info, err := os.Stat(dir); err == nil {
			if s, ok := info.Sys().(*syscall.Stat_t); ok {
				uid = int(s.Uid)
			}
		}
	}
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil && uid != 0 {
		return u.Username
	}
	return serviceUser
}

func hasUser(name string) bool {
	_, err := user.Lookup(name)
	return err == nil
}

// freePair returns addresses for listen and admin, both "" when the usual ones
// are free: a server may have many sites.
func freePair() (listen, admin string, err error) {
	for port := 8600; port < 8800; port += 2 {
		listen, admin = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", port+1)
		if !isFree(listen) || !isFree(admin) {
			continue
		}
		if port == 8600 {
			return "", "", nil
		}
		return listen, admin, nil
	}
	return "", "", errors.New("no two ports are free between 8600 and 8800, for listen and admin")
}

func isFree(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// closed tells of a folder on the way to dir that other users cannot enter:
// nginx is one, and its visitors would get 403 for every page.
func closed(dir string) []string {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && info.Mode().Perm()&0o001 == 0 {
			return []string{fmt.Sprintf("nginx cannot read what lies in %s, which is closed to other users: chmod o+x %s, or take a folder such as /srv", at, at)}
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}
