package output

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
)

// encoding is one kind of sidecar.
type encoding struct {
	suffix string
	writer func(io.Writer) (io.WriteCloser, error)
}

// allEncodings are the sidecars that Rebake knows, by their names in the config.
var allEncodings = map[string]encoding{
	"gzip": {".gz", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestCompression) }},
	"br":   {".br", func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriterLevel(w, 9), nil }},
}

// suffixes are those of all sidecars, also of those that are not asked for any
// more: an old one beside a new page would be served.
var suffixes = []string{".gz", ".br"}

func encodingsFor(names []string) ([]encoding, error) {
	var list []encoding
	for _, name := range names {
		e, ok := allEncodings[name]
		if !ok {
			return nil, fmt.Errorf("compress: unknown encoding %q; known: gzip, br", name)
		}
		list = append(list, e)
	}
	return list, nil
}

// tooSmall is the size in bytes below which a sidecar saves no packet.
const tooSmall = 1024

// sidecar is an encoded copy of a page.
type sidecar struct {
	suffix string
	body   []byte
}

// sidecars encodes a text page. Other types are compressed already, or small.
func (d *Dir) sidecars(mediaType string, body []byte) ([]sidecar, error) {
	if len(body) < tooSmall || !isText(mediaType) {
		return nil, nil
	}
	var list []sidecar
	for _, e := range d.encodings {
		var buf bytes.Buffer
		w, err := e.writer(&buf)
		if err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		if _, err := w.Write(body); err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		if err := w.Close(); err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		list = append(list, sidecar{e.suffix, buf.Bytes()})
	}
	return list, nil
}

func isText(mediaType string) bool {
	t, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "+xml") || strings.HasSuffix(t, "+json") ||
		t == "application/xml" || t == "application/json"
}
