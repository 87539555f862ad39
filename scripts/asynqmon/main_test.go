package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeConfig(t *testing.T, redis string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rebake.yaml")
	text := fmt.Sprintf("site: https://www.example.com\noutput: ./public\nsecret: a-secret-that-nobody-would-guess\nredis: %q\n"+
		"templates: ./templates\nroutes: [{path: /, template: home.html}]\n", redis)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRun_Refusals(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	const here = "127.0.0.1:0"
	for name, c := range map[string]struct{ file, listen, want string }{
		"no port":                   {"x", "127.0.0.1", "write it as 127.0.0.1:8602"},
		"every address":             {"x", ":8602", "use an address of this machine alone"},
		"an address of the network": {"x", "192.0.2.1:8602", "use an address of this machine alone"},
		"no config":                 {"/nowhere/rebake.yaml", here, "/nowhere/rebake.yaml: no such file"},
		"rebake's own Redis":        {writeConfig(t, ""), here, "set `redis:` to its URL"},
		"a Redis in memory":         {writeConfig(t, "memory"), here, "set `redis:` to its URL"},
		"an address that is taken":  {writeConfig(t, "redis://127.0.0.1:1"), taken.Listener.Addr().String(), "address already in use"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), c.file, c.listen, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestRun_EndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := run(ctx, writeConfig(t, "redis://127.0.0.1:1"), "localhost:0", slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
}
