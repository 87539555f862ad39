package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"rebake/storage"
	"rebake/storage/budget"
)

// readBody reads an answer to its end, and counts what it takes. Its errors are
// Do's, and budget.ErrFull.
func (c *Client) readBody(ctx context.Context, resp *http.Response) ([]byte, error) {
	most := c.config.MaxBytes + 1
	// One byte more than announced, where the end is met without growing.
	buf, err := budget.NewBuffer(ctx, min(resp.ContentLength+1, most))
	if err != nil {
		return nil, err
	}
	switch _, err := buf.ReadFrom(io.LimitReader(resp.Body, most)); {
	case errors.Is(err, budget.ErrFull):
		return nil, err
	case err != nil:
		return nil, storage.Temporary(transportError(err))
	case int64(buf.Len()) > c.config.MaxBytes:
		return nil, &storage.RefusedError{
			Gate:   "too_large",
			Reason: fmt.Sprintf("the answer has more than %d bytes; ask for less, or raise max_bytes of the server that gave it", c.config.MaxBytes),
		}
	}
	return buf.Bytes(), nil
}
