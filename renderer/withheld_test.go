package renderer

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"rebake/renderer/source"
	"rebake/storage"
)

func TestRender_RefusedByWordPress(t *testing.T) {
	for name, c := range map[string]struct {
		kind   string
		status int // of the item
		list   string
		gone   bool
	}{
		"a post that the list leaves out is gone":    {kind: "wordpress", status: 401, list: `[]`, gone: true},
		"forbidden means the same":                   {kind: "wordpress", status: 403, list: `[]`, gone: true},
		"a post that the list has is not":            {kind: "wordpress", status: 401, list: `[{"id": 42}]`},
		"an API that is locked says nothing":         {kind: "wordpress", status: 401},
		"an answer that is no list says nothing":     {kind: "wordpress", status: 401, list: `{}`},
		"another CMS may mean something else by 401": {status: 401, list: `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			cms := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/posts" && r.URL.Query().Get("include") == "42" && c.list != "" {
					_, _ = w.Write([]byte(c.list))
					return
				}
				w.WriteHeader(c.status)
			}))
			t.Cleanup(cms.Close)
			cfg := source.DefaultConfig()
			cfg.URL, cfg.Kind = cms.URL, c.kind
			src, err := source.New("cms", cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(src.Close)
			f := fetch{name: "post", source: src, one: true}
			r := source.Request{Ref: "/posts/42?_embed"}
			_, refusal := src.Fetch(t.Context(), r)
			if refusal == nil {
				t.Fatal("the source refuses nothing")
			}
			got := f.withheld(t.Context(), r, refusal)
			if errors.Is(got, storage.ErrGone) != c.gone {
				t.Errorf("%v, gone should be %t", got, c.gone)
			}
			if !c.gone && got != refusal {
				t.Errorf("%v, want the refusal as it was: %v", got, refusal)
			}
		})
	}
}
