package daemon

import (
	"strings"
	"testing"
)

// The end of what is printed is where a person looks.
func TestCheck_marksComeLast(t *testing.T) {
	t.Parallel()
	s := newTestSite(t, "redis: memory")
	text := s.run("check").out
	if marks, config := strings.Index(text, "✓ templates"), strings.LastIndex(text, "workers: 16"); config < 0 || marks < config {
		t.Errorf("the config stands below the marks:\n%s", text)
	}
}
