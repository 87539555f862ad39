package daemon

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTimer(t *testing.T) {
	t.Run("of a route renders a page again that nobody has triggered", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.write("rebake.yaml", strings.Replace(read(t, s, "rebake.yaml"), "    template: post.html", "    revalidate: 1s\n    template: post.html", 1))
		s.start()
		s.source.edit("a")
		if status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1m"}, "recheck": {"0"}}); status != 200 {
			t.Fatal(text)
		}
		s.source.edit("a")
		s.await("the edit is public", patience, func() bool { return s.shows("a") })
	})

	t.Run("of a date in the content publishes the page then, and not before", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.write("rebake.yaml", strings.Replace(read(t, s, "rebake.yaml"), "    template: post.html", "    publish_at: \"{post.publish}\"\n    template: post.html", 1))
		s.start()
		at := time.Now().Add(2 * time.Second).Truncate(time.Second).Add(time.Second)
		s.source.publishAt.Store(at.UTC().Format(time.RFC3339))
		s.source.edit("a")
		s.mustTrigger("/p/a")
		s.await("the page is public", patience, func() bool { return s.shows("a") })
		if early := time.Until(at); early > 0 {
			t.Errorf("it was public %s too early", early)
		}
	})

	t.Run("of a second look finds what the CMS had not saved yet", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.start()
		s.source.edit("a")
		if status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1m"}}); status != 200 {
			t.Fatal(text)
		}
		s.source.edit("a") // saved after the plugin has called
		s.await("the edit is public", patience, func() bool { return s.shows("a") })
	})
}
