package setup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var twoFiles = []File{{ConfigFile, 0o644, []byte("new")}, {SecretFile, 0o600, []byte("new secret")}, {"templates/home.html", 0o644, []byte("home")}}

func readFile(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := Write(dir, twoFiles, false); err != nil {
		t.Fatal(err)
	}
	for _, f := range twoFiles {
		info, err := os.Stat(filepath.Join(dir, f.Name))
		if err != nil || info.Mode().Perm() != f.Mode || readFile(t, dir, f.Name) != string(f.Body) {
			t.Errorf("%s: %v, %v", f.Name, info, err)
		}
	}
}

func TestWrite_overwritesOnlyWhenTold(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{ConfigFile, SecretFile} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(dir, twoFiles, false); !errors.Is(err, fs.ErrExist) || readFile(t, dir, ConfigFile) != "old" {
		t.Errorf("error %v, config %q", err, readFile(t, dir, ConfigFile))
	}
	if err := Write(dir, twoFiles, true); err != nil || readFile(t, dir, ConfigFile) != "new" {
		t.Errorf("error %v, config %q", err, readFile(t, dir, ConfigFile))
	}
	if info, err := os.Stat(filepath.Join(dir, ConfigFile)); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("config %v, %v", info, err)
	}
	if readFile(t, dir, SecretFile) != "old" {
		t.Error("the secret was replaced, and whoever calls Rebake has the old one")
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestPresent(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, twoFiles, false); err != nil {
		t.Fatal(err)
	}
	got, err := Present(dir, []string{ConfigFile, SecretFile, NginxFile, "templates/home.html"})
	if err != nil || !slices.Equal(got, []string{ConfigFile, "templates/home.html"}) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := Present(filepath.Join(dir, ConfigFile), []string{NginxFile}); err == nil {
		t.Error("a file in the place of the folder is no error")
	}
}

func TestWord(t *testing.T) {
	for in, want := range map[string]string{
		"https://www.example.com": "https://www.example.com", "http://127.0.0.1:8080": "http://127.0.0.1:8080", "/feed": "/feed", "/": "/",
		"cms.example.com": "cms.example.com", "127.0.0.1:8080": `"127.0.0.1:8080"`, "no": `"no"`, "12": `"12"`, "a b": `"a b"`, "x:": `"x:"`,
		"/{rest...}": `"/{rest...}"`, "${HOME}": `"$${HOME}"`, `a"b`: `"a\"b"`, "a&b<c": `"a&b<c"`, "": `""`,
	} {
		if got, err := word(in); got != want || err != nil {
			t.Errorf("word(%q) = %s, %v; want %s", in, got, err, want)
		}
	}
}
