package e2e

import "testing"

// TestWordPress runs the same real WordPress as a headless CMS, and as an
// origin whose theme makes the pages.
func TestWordPress(t *testing.T) {
	server := newServer(t)
	t.Run("headless", func(t *testing.T) {
		t.Parallel()
		testHeadless(t, server)
	})
	t.Run("origin", func(t *testing.T) {
		t.Parallel()
		testOrigin(t, server)
	})
	t.Run("plugin", func(t *testing.T) {
		t.Parallel()
		testPlugin(t, server)
	})
	t.Run("reconcile", func(t *testing.T) {
		t.Parallel()
		testReconcile(t, server)
	})
	t.Run("origin with a host of its own", func(t *testing.T) {
		t.Parallel()
		testOriginHost(t, server)
	})
}
