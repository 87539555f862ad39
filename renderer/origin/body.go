package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"

	"golang.org/x/net/html/charset"

	"rebake/renderer/upstream"
	"rebake/storage"
	"rebake/storage/budget"
)

// sameTypes are media types that mean what another one means.
var sameTypes = map[string]string{
	"text/xml":                 "application/xml",
	"application/javascript":   "text/javascript",
	"application/x-javascript": "text/javascript",
	"application/xhtml+xml":    "text/html",
	"image/x-icon":             "image/vnd.microsoft.icon",
	"application/font-woff2":   "font/woff2",
	"application/font-woff":    "font/woff",
	"audio/mp3":                "audio/mpeg",
}

// xmlTypes may all stand in a file that ends in .xml.
var xmlTypes = []string{"application/xml", "application/rss+xml", "application/atom+xml", "application/rdf+xml"}

// snapshot makes a page of an answer.
func (o *Origin) snapshot(ctx context.Context, p storage.Path, resp upstream.Response) (Snapshot, error) {
	given := resp.Header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(given)
	if err != nil {
		return Snapshot{}, &storage.RefusedError{Gate: "type_mismatch", Reason: fmt.Sprintf("the answer's Content-Type %.60q cannot be read", given)}
	}
	if kind, err = served(p, kind); err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Type: kind, Body: resp.Body, Cache: o.cache(resp.Header)}
	var of head
	if storage.IsText(kind) {
		// Decoding copies it, and so does each kind of link that is rewritten.
		if err := budget.Grow(ctx, 3*int64(len(resp.Body))); err != nil {
			return Snapshot{}, err
		}
		if s.Body, err = toUTF8(resp.Body, params["charset"]); err != nil {
			return Snapshot{}, err
		}
		if kind == "text/html" {
			of = readHead(s.Body)
			s.Body = of.without(s.Body)
		}
		s.Body = o.links.rewrite(s.Body)
		s.Type += "; charset=utf-8"
	}
	o.label(&s, p, resp.Header, kind, of)
	return s, nil
}

// served is the type that a page of a given type has as a file. A file server
// knows nothing but the file's name.
func served(p storage.Path, kind string) (string, error) {
	if same, ok := sameTypes[kind]; ok {
		kind = same
	}
	promised := p.FileType()
	switch {
	case promised == "" && p.FileFor(kind) != "":
		return kind, nil
	case promised == "":
		return "", &storage.RefusedError{Gate: "type_mismatch", Reason: fmt.Sprintf("the answer is %s, which only a path with an extension can be", kind)}
	case promised == kind || promised == "application/xml" && slices.Contains(xmlTypes, kind):
		return promised, nil
	}
	return "", &storage.RefusedError{Gate: "type_mismatch", Reason: fmt.Sprintf("the answer is %s, and %s promises %s", kind, p, promised)}
}

// toUTF8 decodes text of another charset. Nothing is guessed: what the header
// does not name is taken for UTF-8, and the gates look whether it is.
func toUTF8(body []byte, label string) ([]byte, error) {
	if label == "" || strings.EqualFold(label, "utf-8") || strings.EqualFold(label, "utf8") {
		return bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), nil
	}
	r, err := charset.NewReaderLabel(label, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the answer's charset %.20q is unknown", label)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return nil, errors.New("the answer cannot be decoded from its charset")
	}
	return out, nil
}
