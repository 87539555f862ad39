package ledger

import (
	"context"
	"time"

	"rebake/storage"
)

// Adopt takes a file that lies in the output for the publication of a page
// that the ledger does not know; false says that it knows one. Tags are
// learned by the next render.
func (l *Ledger) Adopt(ctx context.Context, page storage.Page, mtime time.Time) (bool, error) {
	r, err := l.run(ctx, l.scripts.adopt, page.Path, page.Hash(), len(page.Body), page.Type, mtime.UnixMilli(), page.Route)
	if err != nil {
		return false, err
	}
	switch r.text(0) {
	case "adopted":
		return true, nil
	case "known":
		return false, nil
	}
	return false, errUnknownReply(r)
}
