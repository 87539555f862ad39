package upstream

import (
	"fmt"
	"maps"
	"net/textproto"
	"slices"

	"golang.org/x/net/http/httpguts"

	"rebake/storage"
)

// ownHeaders are part of how a request is sent. Another Accept-Encoding, for
// one, would bring answers that nothing decodes.
var ownHeaders = []string{"Accept-Encoding", "Connection", "Content-Length", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// checkHeaders finds what net/http would refuse at every request. No error
// shows a value.
func checkHeaders(headers map[string]storage.Secret) []error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			errs = append(errs, fmt.Errorf("headers: %q is no name of a header", name))
		case slices.Contains(ownHeaders, textproto.CanonicalMIMEHeaderKey(name)):
			errs = append(errs, fmt.Errorf("headers.%s: rebake sets this header itself; leave it out", name))
		case !httpguts.ValidHeaderFieldValue(headers[name].Reveal()):
			errs = append(errs, fmt.Errorf("headers.%s: the value holds a line break or control character", name))
		}
	}
	return errs
}
