package origin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rebake/renderer/upstream"
	"rebake/storage"
)

// Request is one page to take.
type Request struct {
	Path storage.Path
	// Shared says that the page is the same for everybody, whatever the origin
	// says of it; only Vary: Cookie is believed nevertheless.
	Shared bool
	// IgnoreCookies are the names of cookies that the answer may set; they are
	// not passed on.
	IgnoreCookies []string
	// Urgent calls alone may use the last free slot.
	Urgent bool
}

// Snapshot is a page as the origin gave it to nobody in particular.
type Snapshot struct {
	Type string // media type, of text with charset=utf-8
	Body []byte // UTF-8 if it is text, with the site's links
	Tags []string
	// Versions are those of the items that the answer shows, by tag, as far as
	// the origin tells them; see itemsHeader.
	Versions map[string]string
	// Made is that of storage.Page.
	Made string
	// Cache is what the origin's answer says of its own cache, for people.
	Cache Cache
}

// Snapshot reads a page.
//
// Errors: storage.ErrGone (wrapped) for 404, 410, and a lasting redirect to
// another page of the site; *storage.TemporaryError; *storage.RefusedError of
// the gates redirect, private, cookies, vary, download, type_mismatch and
// too_large; all others are permanent.
func (o *Origin) Snapshot(ctx context.Context, r Request) (Snapshot, error) {
	target := o.target(r.Path)
	resp, err := o.read(ctx, target, r)
	var moved *slashMoved
	if errors.As(err, &moved) {
		target = moved.target
		resp, err = o.read(ctx, target, r)
	}
	if errors.As(err, &moved) {
		err = &storage.RefusedError{Gate: "redirect", Reason: "the origin redirects the page with a slash and the one without to each other"}
	}
	if err != nil {
		return Snapshot{}, o.failed(target, err)
	}
	s, err := o.snapshot(ctx, r.Path, resp)
	if err != nil {
		return Snapshot{}, o.failed(target, err)
	}
	return s, nil
}

// read asks one instance for the page, and has all the others refresh what
// they keep of it.
func (o *Origin) read(ctx context.Context, target string, r Request) (upstream.Response, error) {
	i := o.base(r.Urgent)
	req, err := o.request(ctx, o.bases[i], http.MethodGet, target)
	if err != nil {
		return upstream.Response{}, err
	}
	if err := o.preview.apply(req); err != nil {
		return upstream.Response{}, err
	}
	resp, err := o.client.Do(ctx, req, r.Urgent, func(resp *http.Response) error {
		if err := o.checkStatus(resp, r.Path); err != nil {
			return err
		}
		return checkShared(resp.Header, r)
	})
	if err == nil || errors.Is(err, storage.ErrGone) {
		o.refreshOthers(ctx, i, target, r.Urgent)
	}
	return resp, err
}

// slashMoved is a redirect to the same page in the other form of its address.
type slashMoved struct{ target string }

func (e *slashMoved) Error() string { return "redirected to " + e.target }

// checkStatus is the table of upstream, and what redirects mean. WordPress
// keeps the address of a renamed post as a lasting redirect to the new one:
// the page is gone, and the redirect is the origin's to give.
func (o *Origin) checkStatus(resp *http.Response, p storage.Path) error {
	err := upstream.CheckStatus(resp)
	if o.config.Kind == WordPress && resp.StatusCode == http.StatusServiceUnavailable {
		// It asks for ten minutes when it updates a plugin, which takes seconds.
		return storage.Temporary(err)
	}
	if resp.StatusCode < 300 || resp.StatusCode > 399 || resp.StatusCode == http.StatusNotModified {
		return err
	}
	location, locErr := resp.Location()
	if locErr != nil {
		return storage.Temporary(fmt.Errorf("%w without a readable Location", err))
	}
	target, own := o.PathOf(location)
	lasting := resp.StatusCode == http.StatusMovedPermanently || resp.StatusCode == http.StatusPermanentRedirect
	switch to, same := o.samePage(location, p); {
	case own && same && to != resp.Request.URL.EscapedPath() && location.RawQuery == "":
		return &slashMoved{target: to}
	case own && same:
		return &storage.RefusedError{Gate: "redirect", Reason: fmt.Sprintf("the origin redirects the page to itself at %s; it may take itself for another scheme or host (host of the origin, site)", upstream.RedirectHost(resp))}
	case own && lasting:
		return &storage.GoneError{Reason: fmt.Sprintf("%v: moved to %s", err, target)}
	}
	where := upstream.RedirectHost(resp)
	if own {
		where = target
	}
	return &storage.RefusedError{Gate: "redirect", Reason: fmt.Sprintf("the origin answers %v, a redirect to %s; only a page is published", err, where)}
}

// samePage reports whether a location is the page p, and its escaped path.
func (o *Origin) samePage(location *url.URL, p storage.Path) (string, bool) {
	path := location.Path
	if path != "/" {
		path = strings.TrimSuffix(path, "/")
	}
	return location.EscapedPath(), path == p.String() || path == "" && p.String() == "/"
}
