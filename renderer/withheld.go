package renderer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"rebake/renderer/source"
	"rebake/renderer/upstream"
	"rebake/storage"
)

// oneByID is a get of one item of a collection of WordPress: "/posts/42".
var oneByID = regexp.MustCompile(`^(/[a-z0-9_/-]+)/([0-9]+)(?:\?|$)`)

// withheld finds out what a refusal by WordPress means. To strangers it answers
// 401 for an item that is a draft, private or in the trash, and the same for
// everything when a plugin locks the API. Its lists are honest: one that answers
// and leaves the item out says that it is gone for everybody. Any other outcome
// leaves the refusal as it was.
func (f fetch) withheld(ctx context.Context, r source.Request, refusal error) error {
	var status *upstream.StatusError
	if !f.one || !f.source.WordPress() || !errors.As(refusal, &status) ||
		(status.Status != http.StatusUnauthorized && status.Status != http.StatusForbidden) {
		return refusal
	}
	m := oneByID.FindStringSubmatch(r.Ref)
	if m == nil {
		return refusal
	}
	answer, err := f.source.Fetch(ctx, source.Request{Ref: m[1] + "?include=" + m[2] + "&_fields=id", Urgent: r.Urgent})
	if list, ok := answer.Value.([]any); err != nil || !ok || len(list) > 0 {
		return refusal
	}
	return &storage.GoneError{Reason: fmt.Sprintf("WordPress shows it to nobody (status %d)", status.Status)}
}
