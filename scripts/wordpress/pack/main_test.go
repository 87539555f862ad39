package main

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

const plugin = "../rebake"

func TestPack_DependsOnNamesAndBytesAlone(t *testing.T) {
	first, err := pack(plugin)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "rebake")
	if err := os.CopyFS(other, os.DirFS(plugin)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(other, "rebake.php")
	if err := os.Chtimes(name, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, ".DS_Store"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := pack(other)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two copies of the same files give two different zips")
	}
}

func TestPack_IsAPluginThatWordPressCanInstall(t *testing.T) {
	b, err := pack(plugin)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rebake/rebake.php", "rebake/readme.txt", "rebake/uninstall.php", "rebake/includes/client.php", "rebake/assets/panel.js"} {
		if _, err := z.Open(name); err != nil {
			t.Error(err)
		}
	}
}

func TestPack_NamesADirectoryThatIsNotThere(t *testing.T) {
	if err := run("nowhere", filepath.Join(t.TempDir(), "a.zip")); err == nil || !regexp.MustCompile("pack nowhere: .*no such file").MatchString(err.Error()) {
		t.Errorf("got %v", err)
	}
}

func TestZip_WritesTheFileThatItIsGiven(t *testing.T) {
	out := filepath.Join(t.TempDir(), "plugin.zip")
	if b, err := exec.Command("../zip", out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := pack(plugin); err != nil || !bytes.Equal(got, want) {
		t.Errorf("it is not what pack makes (%v)", err)
	}
}

// TestPlugin_SaysOneVersion: the header is WordPress', the constant the
// requests', the tag the directory's of plugins.
func TestPlugin_SaysOneVersion(t *testing.T) {
	versions := map[string]bool{}
	for _, of := range []struct{ file, pattern string }{
		{"rebake.php", `(?m)^ \* Version: +(\S+)$`},
		{"rebake.php", `'REBAKE_VERSION', '(\S+)'`},
		{"readme.txt", `(?m)^Stable tag: (\S+)$`},
		{"readme.txt", `(?s)== Changelog ==\s+= (\S+) =`},
	} {
		text, err := os.ReadFile(filepath.Join(plugin, of.file))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(of.pattern).FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s: nothing matches %s", of.file, of.pattern)
		}
		versions[string(found[1])] = true
	}
	if len(versions) != 1 {
		t.Errorf("versions %v, want one", versions)
	}
}
