package origin

import (
	"errors"
	"net/http"
	"testing"

	"rebake/storage"
)

func TestSnapshot_doesNotWaitAsLongAsWordPressAsksDuringAnUpdate(t *testing.T) {
	o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusServiceUnavailable)
	}, kind(WordPress))
	_, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")})
	var temporary *storage.TemporaryError
	if !errors.As(err, &temporary) || temporary.After != 0 {
		t.Errorf("got %#v, want a temporary error that names no time", err)
	}
}
