package origin

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/html/charset"
)

// mostSitemapBytes is the largest sitemap, decompressed.
const mostSitemapBytes = 64 << 20

// errNoSitemap says that a document is none of a sitemap's two kinds.
var errNoSitemap = errors.New("it is no sitemap")

// eachLoc calls f for each address in a sitemap, or in an index of sitemaps,
// until it returns an error. For another kind of document that is errNoSitemap.
func eachLoc(body []byte, f func(isIndex bool, loc string) error) error {
	r, err := unpacked(body)
	if err != nil {
		return err
	}
	d := xml.NewDecoder(r)
	d.CharsetReader = charset.NewReaderLabel
	var at []string // names of the elements that are open
	var loc []byte
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && len(at) == 0:
			return fmt.Errorf("%w: it is empty", errNoSitemap)
		case err != nil && len(at) == 0:
			return fmt.Errorf("%w: %w", errNoSitemap, err)
		case err != nil:
			return fmt.Errorf("it is broken: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if at = append(at, token.Name.Local); len(at) == 1 && at[0] != "urlset" && at[0] != "sitemapindex" {
				return fmt.Errorf("%w: it begins with <%.40s>", errNoSitemap, at[0])
			}
			loc = nil
		case xml.CharData:
			if isLoc(at) {
				loc = append(loc, token...)
			}
		case xml.EndElement:
			if isLoc(at) {
				if err := f(at[0] == "sitemapindex", string(loc)); err != nil {
					return err
				}
			}
			if at = at[:len(at)-1]; len(at) == 0 {
				return nil
			}
		}
	}
}

// isLoc reports whether the open elements lead to the address of an entry, and
// not to that of an image of it.
func isLoc(at []string) bool {
	return len(at) == 3 && at[2] == "loc" && (at[0] == "urlset" && at[1] == "url" || at[0] == "sitemapindex" && at[1] == "sitemap")
}

// unpacked reads a sitemap that may be compressed: .xml.gz, unless the
// transport has seen to it.
func unpacked(body []byte) (io.Reader, error) {
	if !bytes.HasPrefix(body, []byte("\x1f\x8b")) {
		return bytes.NewReader(body), nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return &atMost{r: z, left: mostSitemapBytes}, nil
}

// atMost is a reader that fails where a limit is passed.
type atMost struct {
	r    io.Reader
	left int64
}

func (a *atMost) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if a.left -= int64(n); a.left < 0 {
		return 0, fmt.Errorf("it has more than %d bytes, decompressed", mostSitemapBytes)
	}
	return n, err
}
