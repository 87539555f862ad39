package output

import (
	"errors"
	"testing"

	"rebake/storage"
)

func TestPublish_PageOfAnotherType(t *testing.T) {
	feed := func(mediaType, body string) storage.Page {
		return storage.Page{Path: parse("/feed"), Type: mediaType, Body: []byte(body)}
	}
	publish := func(t *testing.T, s *site, page storage.Page) {
		t.Helper()
		if _, err := s.Publish(t.Context(), page, storage.Published{}, allow); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("leaves somebody else's file beside it alone", func(t *testing.T) {
		s := newSite(t)
		s.put("/feed", "<html>1</html>")
		s.write("feed/index.json", "a search index")
		prev := s.prev["/feed"]
		prev.Type = "text/html"
		s.prev["/feed"] = prev
		s.put("/feed", "<html>2</html>")
		s.wantNames("feed/ feed/index.html feed/index.json")
	})

	t.Run("has a file of its type", func(t *testing.T) {
		s := newSite(t)
		publish(t, s, feed("application/rss+xml", "<rss/>"))
		s.wantNames("feed/ feed/index.xml")
	})

	t.Run("takes the place of the file that it had as another type", func(t *testing.T) {
		s := newSite(t)
		publish(t, s, feed("text/html", "<html></html>"))
		publish(t, s, feed("application/rss+xml", "<rss/>"))
		s.wantNames("feed/ feed/index.xml")
	})

	t.Run("is removed whatever its type", func(t *testing.T) {
		s := newSite(t)
		publish(t, s, feed("application/json", "{}"))
		if _, err := s.Remove(t.Context(), parse("/feed"), storage.Published{Hash: "x"}, allow); err != nil {
			t.Fatal(err)
		}
		s.wantNames("")
	})

	t.Run("that no file can stand for is refused for good", func(t *testing.T) {
		s := newSite(t)
		_, err := s.Publish(t.Context(), feed("image/png", "…"), storage.Published{}, allow)
		var temporary *storage.TemporaryError
		if err == nil || errors.As(err, &temporary) {
			t.Errorf("got %v, want an error that no later try mends", err)
		}
		s.wantNames("")
	})
}
