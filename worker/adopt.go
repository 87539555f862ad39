package worker

import (
	"context"

	"rebake/storage"
	"rebake/storage/output"
)

// Adopted says what became of the files in the output directory.
type Adopted struct {
	Pages     int // taken for published pages
	Known     int // the ledger knew them
	Unmatched int // no route has their path, so they stay somebody else's
}

// Adopt rebuilds the ledger's records from the files on disk, without asking
// any source: for an output that was copied, or a Redis that was lost.
func (w *Worker) Adopt(ctx context.Context, rules storage.PathRules) (Adopted, error) {
	var a Adopted
	err := w.Output.Each(rules, func(f output.File) error {
		m, ok := w.Renderer.Match(f.Path)
		if !ok {
			a.Unmatched++
			return ctx.Err()
		}
		taken, err := w.Ledger.Adopt(ctx, storage.Page{Path: f.Path, Type: f.Type, Body: f.Body, Route: m.Route()}, f.MTime)
		switch {
		case err != nil:
			return err
		case taken:
			a.Pages++
		default:
			a.Known++
		}
		return nil
	})
	return a, err
}
