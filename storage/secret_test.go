package storage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const canary = "S3CR3T-CANARY"

// holder has a secret in each of the places where configs keep them.
type holder struct {
	Key     Secret
	List    []Secret
	Headers map[string]Secret
	Ptr     *Secret
}

func hold() holder {
	s := Secret(canary)
	return holder{Key: s, List: []Secret{s}, Headers: map[string]Secret{"authorization": s}, Ptr: &s}
}

func TestSecret_ShowsInNoOutput(t *testing.T) {
	outputs := map[string]func(v any) string{
		"json": func(v any) string { b, err := json.Marshal(v); return fmt.Sprint(string(b), err) },
		"yaml": func(v any) string { b, err := yaml.Marshal(v); return fmt.Sprint(string(b), err) },
		"slog text": func(v any) string {
			var b bytes.Buffer
			slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
			return b.String()
		},
		"slog json": func(v any) string {
			var b bytes.Buffer
			slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
			return b.String()
		},
		"error": func(v any) string { return fmt.Errorf("use %v", v).Error() },
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		outputs[verb] = func(v any) string { return fmt.Sprintf(verb, v) }
	}
	for name, output := range outputs {
		t.Run(name, func(t *testing.T) {
			for _, v := range []any{Secret(canary), hold(), []Secret{canary}} {
				got := output(v)
				if strings.Contains(got, canary) || strings.Contains(strings.ToLower(got), fmt.Sprintf("%x", canary)) {
					t.Errorf("%T shows its secret: %s", v, got)
				}
			}
		})
	}
}

func TestSecret_PrintsMarkerWhenSet(t *testing.T) {
	if got := fmt.Sprint(Secret(canary)); got != "<secret>" {
		t.Errorf("prints %q, want <secret>", got)
	}
}

func TestSecret_PrintsNothingWhenEmpty(t *testing.T) {
	if got := fmt.Sprint(Secret("")); got != "" {
		t.Errorf("prints %q, want nothing: a missing secret must be seen", got)
	}
}

func TestSecret_IsReadFromYAML(t *testing.T) {
	var h holder
	if err := yaml.Unmarshal([]byte("key: "+canary), &h); err != nil {
		t.Fatal(err)
	}
	if h.Key.Reveal() != canary {
		t.Errorf("Reveal() = %q, want %q", h.Key.Reveal(), canary)
	}
}
