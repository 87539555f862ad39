package config

import (
	"io"
	"os"
	"testing"
)

// FuzzDecode looks for files that panic, and for configs that pass the checks
// but cannot be shown.
func FuzzDecode(f *testing.F) {
	example, err := os.ReadFile(exampleFile)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(example), required, twoRoutes, "", "~", "---\n---\n", "? [a]\n: 1", "a: &a [*a]", "routes: &r [*r]",
		"secret: [a, *b]", "log: {\"\": 1}", "redis: $${${A}$", "sources: {a: {<<: {}}}", "workers: !!binary aGk=",
		"routes: [{gates: {complete: ~}}]", "\xff\xfe", "a:\n\tb",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, d := decode(data, env("A", "a", "EMPTY", ""))
		if d.broken || len(d.problems) > 0 {
			return
		}
		c.resolve("/srv")
		if c.Validate() != nil {
			return
		}
		if err := c.Dump(io.Discard); err != nil {
			t.Errorf("Dump: %v", err)
		}
	})
}
