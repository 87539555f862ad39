// Package files serves a directory of pages over HTTP, for the commands that
// run without nginx: demo and dev. It answers as nginx does with Rebake's
// include, and is not made for the internet.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"

	"rebake/storage"
)

// Server serves the files below root: /blog/a is blog/a/index.html, nothing is
// listed, and what is no page of a site (dot files, sidecars, other spellings
// of a path) is 404. No symbolic link leads out of root. Root is opened anew
// for each request, so it may be made, or replaced, later.
func Server(root string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "405: only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		p, err := storage.ParsePath(r.URL.Path)
		if err != nil {
			notFound(w)
			return
		}
		f, info, err := Open(root, p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			notFound(w)
			return
		case err != nil:
			// The reason names files of this machine; readers get none of it.
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "500: cannot read the page", http.StatusInternalServerError)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Type", contentType(info.Name()))
		w.Header().Set("Cache-Control", "max-age=0, must-revalidate")
		w.Header().Set("ETag", ETag(info))
		http.ServeContent(w, r, "", info.ModTime(), f)
	})
}

// ETag is a file's as nginx makes it. Rebake gives other bytes another one.
func ETag(info fs.FileInfo) string {
	return fmt.Sprintf(`"%x-%x"`, info.ModTime().Unix(), info.Size())
}

// Open finds the page's file. Every way in which there is none, a link out of
// root among them, is fs.ErrNotExist.
func Open(root string, p storage.Path) (*os.File, fs.FileInfo, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, nil, fmt.Errorf("open site: %w", err)
	}
	defer dir.Close()
	// As try_files in the include: the page, then a file that lies there.
	for _, name := range append(p.Files(), strings.TrimPrefix(p.String(), "/")) {
		if info, err := dir.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue // before opening: a named pipe would block
		}
		f, err := dir.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since
		}
		if err != nil {
			return nil, nil, fmt.Errorf("open page %s: %w", p, err)
		}
		info, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, nil, fmt.Errorf("stat page %s: %w", p, err)
		}
		return f, info, nil
	}
	return nil, nil, fs.ErrNotExist
}

// contentType never guesses from the bytes, so that no text becomes HTML.
func contentType(name string) string {
	ext := path.Ext(name)
	if ext == ".xml" {
		return "text/xml; charset=utf-8"
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

func notFound(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "404: there is no such page", http.StatusNotFound)
}
