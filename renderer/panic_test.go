package renderer

import (
	"errors"
	"testing"

	"rebake/storage"
)

// H78: the data of a page is read in goroutines of their own, where nobody else
// can stop a panic.
func TestFetch_H78_PanicIsTheErrorOfThePage(t *testing.T) {
	m := Match{route: &route{fetches: []fetch{{name: "post"}}}} // without a source, which New does not let through
	_, err := m.fetch(t.Context(), false)
	var panicked *storage.PanicError
	if !errors.As(err, &panicked) {
		t.Errorf("fetch = %v, want the panic", err)
	}
}
