package daemon

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rebake/storage"
)

// adminToken returns the token of the admin listener, which the first start
// makes. The command line reads it from the same file.
func adminToken(state string) (storage.Secret, error) {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return "", fmt.Errorf("make state: %w", err)
	}
	name := filepath.Join(state, "admin-token")
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = storage.WriteWhole(name, []byte(rand.Text()+rand.Text()+"\n"), true)
		if err != nil && !errors.Is(err, fs.ErrExist) { // another process was faster
			return "", fmt.Errorf("make admin token: %w", err)
		}
		b, err = os.ReadFile(name)
	}
	if err != nil {
		return "", fmt.Errorf("read admin token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < 20 {
		return "", fmt.Errorf("read admin token: %s holds none; delete it, and the next start makes one", name)
	}
	return storage.Secret(token), nil
}
