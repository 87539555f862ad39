package origin

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

func TestOrigin_instanceThatIsDownIsLeftOut(t *testing.T) {
	var asked, refused atomic.Int64
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(bad.Close)
	o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html></html>")
	}, func(c *Config) { c.URLs = append(c.URLs, bad.URL) })
	take := func(i int) {
		if _, err := o.Snapshot(t.Context(), Request{Path: path(t, fmt.Sprintf("/%d", i))}); err != nil {
			refused.Add(1)
		}
	}
	for i := range 40 {
		if take(i); len(o.Down()) > 0 {
			break
		}
	}
	if down := o.Down(); len(down) != 1 || "http://"+down[0].Server != bad.URL || time.Until(down[0].Next) <= 0 {
		t.Fatalf("down = %+v, want the one instance that fails", down)
	}
	failed, before := refused.Load(), asked.Load()
	if failed == 0 {
		t.Fatal("no page failed: the fault did not fire")
	}
	for i := range 10 {
		take(100 + i)
	}
	// Within its first pause; one that is tried again may fail a page.
	if asked.Load() == before && refused.Load() != failed {
		t.Errorf("%d pages failed, though the other instance answers", refused.Load()-failed)
	}
	if asked.Load() > before+1 {
		t.Errorf("the instance that is down was asked %d times", asked.Load()-before)
	}
}
