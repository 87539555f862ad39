package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Page is the outcome of a render: what is to be served at Path.
type Page struct {
	Path Path
	// Type is the media type with its parameters, "text/html; charset=utf-8".
	Type string
	Body []byte
	// Tags are the labels that triggers can name: from the route's config and
	// from what the render read.
	Tags []string
	// Version is what the route's version expression gave, "" without one.
	Version string
	// Versions are the versions of the items that the render showed, by the
	// items' tags: "post:42" -> "2026-11-23T10:00:00". An item of which no
	// version is known is not in it.
	Versions map[string]string
	// Made is when the page was made, by the clock of its CMS: it shows nothing
	// that is newer. "" when nobody says so.
	Made string
	// Lagging says what the page shows an older version of than its CMS has
	// announced; "" when nothing is known to be older.
	Lagging string
	// Shown are those of the Versions with which what is rendered next is compared.
	Shown map[string]string
	// LookAgain is how much later a lagging page is looked at again; 0 is the
	// ledger's own time.
	LookAgain time.Duration
	// Route is the pattern of the route that rendered the page.
	Route string
	// Wake is when the page must be looked at again, since its content says
	// that it changes then without an edit; zero for never.
	Wake time.Time
	// Revalidate is how much later the page is rendered again by the clock; 0
	// for never.
	Revalidate time.Duration
}

// Hash names the page's bytes: the hex SHA-256 of Body.
func (p Page) Hash() string {
	sum := sha256.Sum256(p.Body)
	return hex.EncodeToString(sum[:])
}

// Published is what the ledger remembers of the last publication of a path.
// The zero value is a path that was never published.
type Published struct {
	Hash  string    // of the bytes, see Page.Hash; "" after a removal
	Type  string    // media type; it says which file the page has, or had
	MTime time.Time // of the files, or of the removal
	Gone  bool      // the page was removed
	Size  int64     // of the bytes; 0 after a removal
}
