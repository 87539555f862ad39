package storage

import (
	"maps"
	"mime"
	"path"
	"slices"
	"strings"
)

// File returns the file of an HTML page below the output directory, with
// slashes: "blog/a/index.html" for /blog/a, "feed.xml" for /feed.xml. Only the
// extensions that static hosts serve as a type make a file-like name; in
// /releases/v1.2 the dot is part of a word. The zero Path has no file, "".
func (p Path) File() string { return p.FileFor("text/html") }

// FileFor is File for a page of some media type, with or without parameters:
// /feed as "application/rss+xml" is "feed/index.xml". A file-like path has the
// one file that it names, whatever the type. It returns "" for a type that no
// file in a directory stands for; a page of it needs a file-like path.
func (p Path) FileFor(mediaType string) string {
	if p.s == "" || p.FileType() != "" {
		return strings.TrimPrefix(p.s, "/")
	}
	name, _, _ := strings.Cut(mediaType, ";")
	ext := indexFiles[strings.ToLower(strings.TrimSpace(name))]
	if ext == "" {
		return ""
	}
	return path.Join(p.s, "index."+ext)[1:]
}

// Files returns every file that the path's page can have, whatever its type,
// the one for HTML first. No other path has one of them.
func (p Path) Files() []string {
	if p.s == "" || p.FileType() != "" {
		return []string{p.File()}
	}
	var files []string
	for _, ext := range []string{"html", "xml", "json", "txt"} {
		files = append(files, path.Join(p.s, "index."+ext)[1:])
	}
	return files
}

// indexFiles are the media types that a page at a directory path can have, with
// the extension of its file there.
var indexFiles = map[string]string{
	"text/html":            "html",
	"application/xml":      "xml",
	"application/rss+xml":  "xml",
	"application/atom+xml": "xml",
	"application/json":     "json",
	"text/plain":           "txt",
}

var indexExtensions = []string{"html", "xml", "json", "txt"}

// FileType returns the media type that a file-like path promises, "" for a
// path that names a directory.
func (p Path) FileType() string { return TypeByName(p.s) }

// TypeByName returns the media type that the extension of a file's name
// promises, without parameters; "" for an extension that promises none.
func TypeByName(name string) string { return fileTypes[path.Ext(name)] }

// fileTypes are the extensions that make a path file-like. The list is fixed,
// and not the machine's mime.types: the same path must be the same file
// everywhere. Pages are text; the others are assets that an origin's pages
// name.
var fileTypes = map[string]string{
	".html":        "text/html",
	".htm":         "text/html",
	".xml":         "application/xml",
	".rss":         "application/rss+xml",
	".atom":        "application/atom+xml",
	".json":        "application/json",
	".webmanifest": "application/manifest+json",
	".txt":         "text/plain",
	".md":          "text/markdown",
	".csv":         "text/csv",
	".ics":         "text/calendar",
	".css":         "text/css",
	".js":          "text/javascript",
	".mjs":         "text/javascript",
	".svg":         "image/svg+xml",
	".xsl":         "application/xml",

	".avif":  "image/avif",
	".gif":   "image/gif",
	".ico":   "image/vnd.microsoft.icon",
	".jpeg":  "image/jpeg",
	".jpg":   "image/jpeg",
	".mp3":   "audio/mpeg",
	".mp4":   "video/mp4",
	".ogg":   "audio/ogg",
	".otf":   "font/otf",
	".pdf":   "application/pdf",
	".png":   "image/png",
	".ttf":   "font/ttf",
	".wasm":  "application/wasm",
	".webm":  "video/webm",
	".webp":  "image/webp",
	".woff":  "font/woff",
	".woff2": "font/woff2",
}

// FileExtensions returns the extensions of file-like paths, ".css", sorted.
func FileExtensions() []string { return slices.Sorted(maps.Keys(fileTypes)) }

// IsText reports whether a media type, with or without parameters, is text:
// encoded in UTF-8, and worth compressing.
func IsText(mediaType string) bool {
	t, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "+xml") || strings.HasSuffix(t, "+json") ||
		t == "application/xml" || t == "application/json"
}
