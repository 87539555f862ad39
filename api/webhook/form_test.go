package webhook

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/worker"
)

const isForm = "Content-Type: application/x-www-form-urlencoded"

func TestDecodeForm(t *testing.T) {
	deep := "a" + strings.Repeat("[a]", mostSteps)
	for name, c := range map[string]struct {
		form string
		want map[string]any
	}{
		"text":                       {"a=1&b=x+y", map[string]any{"a": "1", "b": "x y"}},
		"a field several times":      {"a=1&a=2", map[string]any{"a": []any{"1", "2"}}},
		"objects":                    {"a[b]=1&a[c][d]=2&a%5Bc%5D%5Be%5D=3", map[string]any{"a": map[string]any{"b": "1", "c": map[string]any{"d": "2", "e": "3"}}}},
		"lists":                      {"a[]=1&b[]=1&b[]=2&c[d][]=1", map[string]any{"a": []any{"1"}, "b": []any{"1", "2"}, "c": map[string]any{"d": []any{"1"}}}},
		"a text and an object":       {"a[b]=1&a=2", map[string]any{"a": "2", "a[b]": "1"}},
		"a text and a list":          {"a[]=1&a=2", map[string]any{"a": "2", "a[]": []any{"1"}}},
		"names that are only alike":  {"a[b=1&a]=2&[b]=3&a[][b]=4&a[b]c=5&[]=6", map[string]any{"a[b": "1", "a]": "2", "[b]": "3", "a[][b]": "4", "a[b]c": "5", "": []any{"6"}}},
		"an object that is too deep": {deep + "=1", map[string]any{deep: "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodeForm(c.form)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(any(c.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadWPWebhooks_asAForm(t *testing.T) {
	h := mustHook(t, Config{Kind: "wp-webhooks"})
	r := h.read(event(t, h, "post_id=12&post%5Bpost_type%5D=page&post%5Bpost_status%5D=publish&post_permalink=https%3A%2F%2Fwww.example.com%2Fabout%2F", isForm))
	want := Change{Items: []worker.Item{{Tag: "page:12"}}, Tags: []string{"page"}, Paths: []string{"https://www.example.com/about/"}}
	if diff := cmp.Diff(want, r.Change, cmpopts.EquateEmpty()); diff != "" || len(r.Failed) > 0 {
		t.Errorf("failures are %v, change (-want +got):\n%s", r.Failed, diff)
	}
}
