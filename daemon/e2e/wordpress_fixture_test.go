package e2e

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// wordPressFiles is the program as Debian installs it, with its own theme.
const wordPressFiles = "/usr/share/wordpress"

const (
	editorName     = "editor"
	editorPassword = "correct horse battery staple"
)

//go:embed testdata/wordpress
var wordPressSetup embed.FS

// server is a MariaDB and a copy of WordPress, for any number of its sites.
type server struct {
	t      *testing.T
	dir    string
	socket string
}

// newServer starts an empty MariaDB. Only a socket leads to it.
func newServer(t *testing.T) *server {
	t.Helper()
	need(t, "php", "mariadbd", "mariadb-install-db", "mariadb", wordPressFiles+"/wp-content/themes/twentytwentythree")
	// Not t.TempDir, which is too long for a socket and closed to others.
	dir, err := os.MkdirTemp("", "wp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, dir: dir, socket: filepath.Join(dir, "db", "socket")}
	run(t, nil, "cp", "-rL", wordPressFiles, s.file("site")) // with what its links lead to
	run(t, nil, "cp", "-r", pluginFiles, s.file("site/wp-content/plugins/rebake"))
	for _, name := range []string{"wp-config.php", "router.php", "install.php", "wp-content/mu-plugins/caller.php", "wp-content/mu-plugins/patience.php", "wp-content/mu-plugins/run.php"} {
		text, err := wordPressSetup.ReadFile("testdata/wordpress/" + path.Base(name))
		if err == nil {
			err = write(filepath.Join(s.file("site"), name), string(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.startDatabase()
	return s
}

func (s *server) file(name string) string { return filepath.Join(s.dir, name) }

func (s *server) startDatabase() {
	s.t.Helper()
	user := []string{}
	if os.Geteuid() == 0 { // it refuses to run as root
		user = append(user, "--user=nobody")
	}
	// At its start it deletes what look like temporary tables, also those of
	// another server that runs.
	tmp := s.file("tmp")
	if err := errors.Join(os.Mkdir(tmp, 0o700), os.Chmod(tmp, 0o777)); err != nil {
		s.t.Fatal(err)
	}
	env := []string{"TMPDIR=" + tmp}
	run(s.t, env, "mariadb-install-db", append(user, "--no-defaults", "--datadir="+s.file("db"), "--skip-test-db", "--auth-root-authentication-method=normal")...)
	p := start(s.t, env, "mariadbd", append([]string{"--no-defaults"}, append(user,
		"--datadir="+s.file("db"), "--socket="+s.socket, "--skip-networking",
		"--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0")...)...)
	p.awaitReady(func() bool {
		return exec.Command("mariadb", "--no-defaults", "--user=root", "--socket="+s.socket, "--execute=SELECT 1").Run() == nil
	})
}

// wordPress is a site of WordPress.
type wordPress struct {
	site     string // the directory of the program, which other sites share
	database string
	home     string // where it believes to be, without a slash at the end
	origin   string // where it answers itself, the same
	password string // of the editor, for the REST API
}

// newWordPress installs a site in a database of its own, and serves it at
// addr. It believes to be at home, and calls the front end at site when a
// post's title says so, see caller.php.
func (s *server) newWordPress(t *testing.T, database, addr, home, site string) *wordPress {
	t.Helper()
	run(t, nil, "mariadb", "--no-defaults", "--user=root", "--socket="+s.socket, "--execute=CREATE DATABASE "+database)
	env := []string{
		"WORDPRESS_SOCKET=" + s.socket, "WORDPRESS_DATABASE=" + database, "WORDPRESS_HOME=" + home,
		"WORDPRESS_PASSWORD=" + editorPassword,
		"WORDPRESS_CALLS=" + site + "/api/revalidate", "WORDPRESS_SECRET=" + secret,
		"PHP_CLI_SERVER_WORKERS=4", // it calls itself
	}
	php := []string{
		"-d", "sendmail_path=/bin/true", "-d", "display_errors=stderr",
		// A tenth of the time for each request. No file is written twice.
		"-d", "opcache.enable_cli=1", "-d", "opcache.validate_timestamps=0", "-d", "realpath_cache_size=16M",
		"-d", "opcache.memory_consumption=256", "-d", "opcache.interned_strings_buffer=32",
	}
	w := &wordPress{site: s.file("site"), database: database, home: home, origin: "http://" + addr}
	w.password = run(t, env, "php", append(php, filepath.Join(s.file("site"), "install.php"))...)
	p := start(t, env, "php", append(php, "-S", addr, "-t", s.file("site"), filepath.Join(s.file("site"), "router.php"))...)
	p.awaitReady(func() bool {
		res, err := http.Get("http://" + addr + "/readme.html")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return true
	})
	return w
}

// php runs code in WordPress, as the editor who is an administrator, and
// returns what it prints. See run.php.
func (w *wordPress) php(t *testing.T, code string) string {
	t.Helper()
	said, err := w.eval(code)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// eval is php where there is no test to end.
func (w *wordPress) eval(code string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, w.origin+"/?run", strings.NewReader(code))
	if err != nil {
		return "", err
	}
	req.Host = strings.TrimPrefix(w.home, "http://")
	a, err := stranger().try(req)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s\n%s", code, a)
	}
	return a.body, err
}

// maintain begins or ends what WordPress does while it updates itself or a
// plugin: it answers all with 503, and asks for ten minutes.
func (w *wordPress) maintain(t *testing.T, begin bool) {
	t.Helper()
	name := filepath.Join(w.site, ".maintenance")
	err := os.Remove(name)
	if begin {
		err = write(name, "<?php $upgrading = getenv( 'WORDPRESS_DATABASE' ) === '"+w.database+"' ? time() : 0;")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// install gives this site, and none of the others, a plugin.
func (w *wordPress) install(t *testing.T, php string) {
	t.Helper()
	for name, text := range map[string]string{
		"wp-content/" + w.database + ".php":            php,
		"wp-content/mu-plugins/" + w.database + ".php": "<?php if ( '" + w.database + "' === getenv( 'WORDPRESS_DATABASE' ) ) { require WP_CONTENT_DIR . '/" + w.database + ".php'; }",
	} {
		if err := write(filepath.Join(w.site, name), text); err != nil {
			t.Fatal(err)
		}
	}
}
