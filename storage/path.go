package storage

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of a path, in bytes of its decoded form. A segment leaves room for
// what renameio adds to a file's name (20 bytes) and for ".gz" below the 255
// bytes that file systems allow.
const (
	maxPath    = 1024
	maxSegment = 200
	maxDepth   = 32
)

// Path is the canonical form of a page's URL path and the whole identity of a
// page: decoded once, absolute, NFC, no empty or dot segment, no trailing
// slash. A Path can only be made by parsing, so whoever holds one may use it
// to build file names, Redis keys and URLs. The zero Path is no path.
type Path struct{ s string }

// PathError says why a path was refused.
type PathError struct {
	Code string // stable, for programs: "dot_segment"
	Path string // as it was given, cut at 200 bytes
	Hint string // for people
}

func (e *PathError) Error() string {
	return fmt.Sprintf("path %q: %s (%s)", e.Path, e.Hint, e.Code)
}

// PathRules are a site's own rules, added to those that hold everywhere.
// The zero value adds none. Safe for concurrent use.
type PathRules struct {
	// Reserved are prefixes, by whole segments, that no page may have, since
	// another program answers there.
	Reserved []string
	// WellKnown are the prefixes below /.well-known/ that routes of the site
	// name; every other path with a dot segment is refused.
	WellKnown []string
	// FoldCase refuses upper-case letters, for an output directory whose file
	// system cannot tell /A from /a.
	FoldCase bool
}

// ParsePath parses a decoded path by the rules that hold for every site. It
// repairs nothing but one trailing slash: a form that would need repair is
// another name for some page, and two names for one page lose updates.
func ParsePath(decoded string) (Path, error) { return PathRules{}.Parse(decoded) }

// ParseEscaped parses a path in its URL form, decoding it exactly once.
func (r PathRules) ParseEscaped(escaped string) (Path, error) {
	if len(escaped) > 3*maxPath { // every byte may be escaped
		return Path{}, pathError("too_long", escaped)
	}
	decoded, err := url.PathUnescape(escaped)
	if err != nil {
		return Path{}, pathError("percent", escaped)
	}
	return r.Parse(decoded)
}

// Parse parses a decoded path. Errors are *PathError.
func (r PathRules) Parse(decoded string) (Path, error) {
	if code := r.refuse(decoded); code != "" {
		return Path{}, pathError(code, decoded)
	}
	if decoded != "/" {
		decoded = strings.TrimSuffix(decoded, "/")
	}
	return Path{decoded}, nil
}

// refuse returns the code of the first rule that s breaks. The order goes from
// the cheapest and most telling reason to the finest.
func (r PathRules) refuse(s string) string {
	switch {
	case len(s) > maxPath:
		return "too_long"
	case !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError):
		return "bad_utf8" // encoding/json has made U+FFFD of what was invalid
	case strings.ContainsFunc(s, isControl):
		return "control"
	case strings.Contains(s, "%"):
		return "percent"
	case strings.Contains(s, `\`):
		return "backslash"
	case slices.ContainsFunc(strings.Split(s, "/"), isDots):
		return "dot_segment"
	case strings.HasPrefix(s, " "):
		return "trailing"
	case !strings.HasPrefix(s, "/"):
		return "not_absolute"
	case s == "/":
		return ""
	}
	segments := strings.Split(strings.TrimSuffix(s[1:], "/"), "/")
	if len(segments) > maxDepth {
		return "too_deep"
	}
	wellKnown := hasPrefix(s, r.WellKnown)
	for i, seg := range segments {
		if code := refuseSegment(seg, wellKnown && i == 0); code != "" {
			return code
		}
	}
	switch {
	case strings.ContainsFunc(s, notAllowed):
		return "charset"
	case !norm.NFC.IsNormalString(s):
		return "not_nfc"
	case r.FoldCase && strings.ToLower(s) != s:
		return "case_collision"
	case hasPrefix(strings.TrimSuffix(s, "/"), r.Reserved):
		return "reserved_route"
	}
	return ""
}

func refuseSegment(seg string, wellKnown bool) string {
	switch {
	case seg == "":
		return "empty_segment"
	case strings.HasPrefix(seg, ".") && !(wellKnown && seg == ".well-known"):
		return "dotfile"
	case strings.HasPrefix(seg, " ") || strings.HasSuffix(seg, " ") || strings.HasSuffix(seg, "."):
		return "trailing"
	case isIndex(seg):
		return "reserved"
	case slices.Contains(reservedSuffixes, strings.ToLower(path.Ext(seg))):
		return "reserved_suffix"
	case len(seg) > maxSegment:
		return "segment_too_long"
	}
	return ""
}

// isIndex reports whether a segment is the file of some directory's page: two
// paths must never share a file.
func isIndex(seg string) bool {
	name, ext, found := strings.Cut(seg, ".")
	return found && strings.EqualFold(name, "index") &&
		slices.ContainsFunc(indexExtensions, func(e string) bool { return strings.EqualFold(ext, e) })
}

func isDots(seg string) bool { return seg == "." || seg == ".." }

// reservedSuffixes belong to the files that stand beside a page, or that
// Rebake writes for a moment.
var reservedSuffixes = []string{".gz", ".br", ".tmp", ".rebake", ".isr"}

// isControl also refuses what only changes how text looks, or does not show at
// all: bidirectional controls, joiners, line separators, fillers.
func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point)
}

// notAllowed is the alphabet of paths: what URLs leave unreserved, less what
// files, shells, queries and nginx read differently.
func notAllowed(r rune) bool {
	if r < utf8.RuneSelf {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
			strings.ContainsRune("/-._~!$'()*+,=@", r))
	}
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.So, unicode.Sk)
}

// hasPrefix reports whether s lies at or below one of the prefixes, counted in
// whole segments.
func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		p = strings.TrimSuffix(p, "/")
		if rest, ok := strings.CutPrefix(s, p); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// pathHints tells a person what each code means.
var pathHints = map[string]string{
	"too_long":         fmt.Sprintf("longer than %d bytes", maxPath),
	"bad_utf8":         "not valid UTF-8",
	"trailing":         "a segment starts with a space, or ends with a space or a dot",
	"not_absolute":     "must start with / and carry no scheme or host",
	"control":          "holds a control or invisible character",
	"percent":          "still holds % after decoding once; send it encoded once",
	"backslash":        `holds a backslash`,
	"too_deep":         fmt.Sprintf("more than %d segments", maxDepth),
	"empty_segment":    "holds an empty segment (//)",
	"dot_segment":      "holds a . or .. segment",
	"dotfile":          "a segment starts with a dot",
	"reserved":         "index.html and its like (.xml, .json, .txt) name a file, not a page; name its directory",
	"reserved_suffix":  "ends in a suffix that rebake uses for its own files",
	"segment_too_long": fmt.Sprintf("a segment is longer than %d bytes", maxSegment),
	"charset":          "holds a character that paths may not have; a query or fragment is no part of a page",
	"not_nfc":          "not in Unicode normal form C",
	"case_collision":   "the output directory cannot tell upper from lower case; use lower case",
	"reserved_route":   "is reserved for another program (reserved in rebake.yaml)",
}

func pathError(code, given string) *PathError {
	const most = 200
	if len(given) > most {
		given = strings.ToValidUTF8(given[:most], "") + "…"
	}
	return &PathError{Code: code, Path: given, Hint: pathHints[code]}
}

// String returns the decoded canonical form, "/blog/a".
func (p Path) String() string { return p.s }

// IsZero reports whether p was never parsed.
func (p Path) IsZero() bool { return p.s == "" }

// Escaped returns the form for URLs, "/caf%C3%A9".
func (p Path) Escaped() string { return (&url.URL{Path: p.s}).EscapedPath() }

// Segments returns the decoded segments; none for "/".
func (p Path) Segments() []string {
	if p.s == "/" || p.s == "" {
		return nil
	}
	return strings.Split(p.s[1:], "/")
}
