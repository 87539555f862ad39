package origin

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"rebake/renderer/upstream"
	"rebake/storage"
)

// restRoot is where WordPress' REST API is, when addresses are pretty.
const restRoot = "/wp-json"

// errNoAPI is what stands in the place of a REST API that is switched off, or
// that a plugin hides.
var errNoAPI = fmt.Errorf("the answer is not JSON; there is no REST API here: %w", storage.ErrGone)

// REST asks the API of a WordPress as nobody in particular: ref is appended to
// /wp-json/wp/v2, such as "/posts?include=42". The body of what it returns is
// JSON. An API that is not at its usual place is asked where it always is.
//
// Errors: storage.ErrGone (wrapped) for 404 and 410, and where there is no API;
// *storage.TemporaryError; all others are permanent. An *upstream.StatusError
// is in the chain where the status is the reason.
func (o *Origin) REST(ctx context.Context, ref string, urgent bool) (upstream.Response, error) {
	const version = "/wp/v2"
	resp, err := o.rest(ctx, restRoot+version+ref, urgent)
	if !errors.Is(err, storage.ErrGone) {
		return resp, err
	}
	path, query, _ := strings.Cut(ref, "?")
	target := "/?rest_route=" + version + path
	if query != "" {
		target += "&" + query
	}
	return o.rest(ctx, target, urgent)
}

func (o *Origin) rest(ctx context.Context, target string, urgent bool) (upstream.Response, error) {
	req, err := o.request(ctx, o.bases[o.base(urgent)], http.MethodGet, target)
	if err != nil {
		return upstream.Response{}, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := o.client.Do(ctx, req, urgent, func(resp *http.Response) error {
		err := upstream.CheckStatus(resp)
		if resp.StatusCode == http.StatusServiceUnavailable {
			return storage.Temporary(err) // see checkStatus
		}
		if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && kind != "application/json" {
			return errNoAPI
		}
		return err
	})
	if err != nil {
		return upstream.Response{}, o.failed(target, err)
	}
	return resp, nil
}
