package renderer

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer/source"
)

func TestMatch_Upstreams(t *testing.T) {
	r := one(t, answers(`[]`), `{{.post}}`, func(c *RouteConfig) {
		c.Data["menu"] = FetchConfig{Source: "cms", Get: "/menu"} // the same source twice
	})
	m, _ := r.Match(mustPath(t, "/blog/a"))
	want := []Upstream{{"source cms", source.DefaultConfig().Concurrency}}
	if diff := cmp.Diff(want, m.Upstreams()); diff != "" {
		t.Errorf("of a page (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, r.Upstreams()); diff != "" {
		t.Errorf("of the site (-want +got):\n%s", diff)
	}
	if got := (Match{}).Upstreams(); got != nil {
		t.Errorf("of no page: %v", got)
	}
	m.route.list, m.item = &List{as: "post"}, map[string]any{}
	if got := m.Upstreams(); len(got) != 1 { // the menu is still asked for
		t.Errorf("of a listed page: %v", got)
	}
}

func TestRenderer_Down(t *testing.T) {
	r := one(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, `{{.post}}`)
	for i := range 10 {
		m, _ := r.Match(mustPath(t, fmt.Sprintf("/blog/%d", i)))
		if _, err := r.Render(t.Context(), m, false); err == nil {
			t.Fatal("the fault did not fire")
		}
	}
	if down := r.Down(); len(down) != 1 || down[0].Upstream != "source cms" || down[0].Reason != "status 503" {
		t.Errorf("down = %+v, want the source", down)
	}
}
