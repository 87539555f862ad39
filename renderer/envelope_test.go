package renderer

import (
	"strings"
	"testing"
)

func TestRender_oneOfAnAnswerThatHoldsAList(t *testing.T) {
	const hint = "the answer of data post is an object with a list in data: if the item is in that list, say `items: data` beside `one: true`"
	for name, tc := range map[string]struct {
		answer string
		hints  bool
	}{
		"one item":           {`{"data": [{"id": 1, "title": "A"}], "meta": {"total": 1}}`, true},
		"none":               {`{"data": [], "total": 0}`, true},
		"a single document":  {`{"id": 1, "data": [{"id": 2}]}`, false},
		"two lists":          {`{"data": [{"id": 1}], "included": [{"id": 2}]}`, false},
		"a list of no items": {`{"data": ["a"]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, one(t, answers(tc.answer), "{{.post.subtitle}}"), "/blog/a")
			if err == nil || !strings.Contains(err.Error(), `no entry for key "subtitle"`) || strings.Contains(err.Error(), hint) != tc.hints {
				t.Errorf("error %v, want the hint: %t", err, tc.hints)
			}
		})
	}
	t.Run("a template that knows the list is right", func(t *testing.T) {
		page, err := render(t, one(t, answers(`{"data": [{"id": 1}]}`), "{{range .post.data}}{{.id}}{{end}}"), "/blog/a")
		if err != nil || string(page.Body) != "1" {
			t.Errorf("%q, %v", page.Body, err)
		}
	})
}
