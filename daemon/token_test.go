package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rebake/storage"
)

func TestAdminToken_ProcessesThatStartTogetherHaveOne(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	tokens := make([]storage.Secret, 16)
	var all sync.WaitGroup
	for i := range tokens {
		all.Go(func() {
			var err error
			if tokens[i], err = adminToken(state); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, token := range tokens {
		if token != tokens[0] || len(token) < 40 {
			t.Fatal("they have several tokens, or short ones")
		}
	}
	info, err := os.Stat(filepath.Join(state, "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v", info.Mode())
	}
	if files, _ := os.ReadDir(state); len(files) != 1 {
		t.Errorf("the state holds %v, want the token alone", files)
	}
}

func TestAdminToken_EmptyFileIsToldAndNotReplaced(t *testing.T) {
	state := t.TempDir()
	if err := os.WriteFile(filepath.Join(state, "admin-token"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := adminToken(state); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("error %v, want the way out", err)
	}
}
