package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rebake/daemon/config"
)

func TestCheckOutput_ThatIsNotThereYet(t *testing.T) {
	dir := t.TempDir()
	good := &config.Config{Output: filepath.Join(dir, "deep/public"), State: filepath.Join(dir, "state")}
	if err := checkOutput(good); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("check leaves %v behind", left)
	}
	for name, bad := range map[string]*config.Config{
		"output": {Output: "/proc/public", State: filepath.Join(dir, "state")},
		"state":  {Output: filepath.Join(dir, "public"), State: "/proc/state"},
	} {
		if err := checkOutput(bad); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s that cannot be made: %v", name, err)
		}
	}
}
