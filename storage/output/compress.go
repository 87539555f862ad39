package output

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"

	"rebake/storage"
)

// encoding is one kind of sidecar.
type encoding struct {
	suffix string
	make   func() encoder
}

// encoder is what both compressors offer. One takes more than a megabyte, so
// they are used again.
type encoder interface {
	io.WriteCloser
	Reset(io.Writer)
}

// allEncodings are the sidecars that Rebake knows, by their names in the config.
// Brotli's higher qualities and its own window take 33 MB and more for each
// encoder, of which there are as many as pages are published at once, and gain
// nothing on a page of 30 KB; these take 2 to 5.
var allEncodings = map[string]encoding{
	"gzip": {".gz", func() encoder { w, _ := gzip.NewWriterLevel(nil, gzip.BestCompression); return w }}, // the level is valid
	"br":   {".br", func() encoder { return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: 6, LGWin: 18}) }},
}

// suffixes are those of all sidecars, also of those that are not asked for any
// more: an old one beside a new page would be served.
var suffixes = []string{".gz", ".br"}

// compressor makes the sidecars of one kind. It is safe for concurrent use.
type compressor struct {
	suffix string
	idle   sync.Pool // of encoder
}

func compressorsFor(names []string) ([]*compressor, error) {
	var list []*compressor
	for _, name := range names {
		e, ok := allEncodings[name]
		if !ok {
			return nil, fmt.Errorf("compress: unknown encoding %q; known: gzip, br", name)
		}
		list = append(list, &compressor{suffix: e.suffix, idle: sync.Pool{New: func() any { return e.make() }}})
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
	if len(body) < tooSmall || !storage.IsText(mediaType) {
		return nil, nil
	}
	var list []sidecar
	for _, c := range d.compressors {
		encoded, err := c.compress(body)
		if err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		list = append(list, sidecar{c.suffix, encoded})
	}
	return list, nil
}

func (c *compressor) compress(body []byte) ([]byte, error) {
	w := c.idle.Get().(encoder)
	var buf bytes.Buffer
	w.Reset(&buf)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	c.idle.Put(w) // not one that has failed or panicked: nobody knows how it is inside
	return buf.Bytes(), nil
}
