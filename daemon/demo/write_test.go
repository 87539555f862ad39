package demo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/daemon/config"
	"rebake/storage"
)

const oddSecret = `it's "quoted": #1, ${NOT_SET}`

// load writes the demo's files into dir and reads its config as `serve` does.
func load(t *testing.T, dir string) *config.Config {
	t.Helper()
	err := Write(dir, Params{
		Site: "http://127.0.0.1:8000", CMS: "http://127.0.0.1:8700", Secret: oddSecret,
		Listen: "127.0.0.1:8610", Admin: "127.0.0.1:8611",
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(filepath.Join(dir, "rebake.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWrite(t *testing.T) {
	t.Run("writes a config that says what it was given", func(t *testing.T) {
		dir := t.TempDir()
		c := load(t, dir)
		got := map[string]string{
			"site": c.Site, "output": c.Output, "state": c.State, "redis": c.Redis, "listen": c.Listen,
			"admin": c.Admin, "secret": c.Secret[0].Reveal(), "cms": c.Sources["cms"].Kind + " " + c.Sources["cms"].URL,
		}
		want := map[string]string{
			"site": "http://127.0.0.1:8000", "output": filepath.Join(dir, "public"),
			"state": filepath.Join(dir, ".rebake"), "redis": "memory", "listen": "127.0.0.1:8610",
			"admin": "127.0.0.1:8611", "secret": oddSecret, "cms": "wordpress http://127.0.0.1:8700/wp-json/wp/v2",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("config (-want +got):\n%s", diff)
		}
	})

	t.Run("writes the templates that its routes name", func(t *testing.T) {
		dir := t.TempDir()
		for _, route := range load(t, dir).Routes {
			if _, err := os.Stat(filepath.Join(dir, "templates", route.Template)); err != nil {
				t.Error(err)
			}
		}
	})

	t.Run("keeps the secret from other users", func(t *testing.T) {
		dir := t.TempDir()
		load(t, dir)
		info, err := os.Stat(filepath.Join(dir, "rebake.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("mode %o, want 600", mode)
		}
	})

	t.Run("overwrites nothing", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "rebake.yaml"), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, Params{Secret: storage.Secret(oddSecret)}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("Write: %v, want %v", err, fs.ErrExist)
		}
	})
}
