package storage

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteWhole(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "id")
	if err := WriteWhole(name, []byte("one"), true); err != nil {
		t.Fatal(err)
	}
	if err := WriteWhole(name, []byte("two"), true); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second first one: %v, want %v", err, fs.ErrExist)
	}
	if b, err := os.ReadFile(name); string(b) != "one" || err != nil {
		t.Errorf("the file holds %q, %v; the first one was to stay", b, err)
	}
	if err := WriteWhole(name, []byte("three"), false); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(name); string(b) != "three" || err != nil {
		t.Errorf("the file holds %q, %v; it was to be replaced", b, err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files, want one", len(files))
	}
}

func TestWriteWhole_IntoNoFolder(t *testing.T) {
	if err := WriteWhole(filepath.Join(t.TempDir(), "no/id"), nil, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
}
