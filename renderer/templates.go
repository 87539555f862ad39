package renderer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"rebake/storage"
	"rebake/storage/budget"
)

// sharedDirs hold what all pages may use; a file there is no page itself.
var sharedDirs = []string{"layouts/", "partials/"}

// Templates are the files of a templates folder, checked and ready to run.
// They never change: after an edit, load them again. Safe for concurrent use.
type Templates struct {
	pages  map[string]*page
	hashes map[string]string // of all files, by name
}

// page is one template that a route can name.
type page struct {
	family family
	files  []string // itself, and the layouts and partials that it uses; sorted
	run    executor
}

// executor is what text/template and html/template have in common.
type executor interface {
	Execute(w io.Writer, data any) error
}

// LoadTemplates reads every template below fsys: files with an extension that
// says how to escape (families), named by their path there. Files and folders
// that start with a dot, and all other files, are left alone.
//
// A page can use every file below layouts/ and partials/, by its name or by
// the name of a {{define}} in it, if that file is of the page's own family.
// Where two files define one name, the file nearer to the page wins: first
// the page, then what it uses, then what those use. So a page's
// {{define "main"}} fills the {{block "main" .}} of its layout.
//
// All problems are returned, joined; each names file and line.
func LoadTemplates(fsys fs.FS) (*Templates, error) {
	funcs := newFuncs()
	files, errs := map[string]*file{}, []error(nil)
	hashes := map[string]string{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || families[path.Ext(name)] == "":
			return nil
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(src)
		hashes[name] = hex.EncodeToString(sum[:])
		f, err := parseFile(name, src, funcs)
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		files[name] = f
		return nil
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("read templates: %w", err))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...) // what follows would only repeat them
	}
	t := &Templates{pages: map[string]*page{}, hashes: hashes}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if isShared(name) {
			continue // it can use what only a page defines
		}
		set, err := collect(files[name], files)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		run, err := files[name].family.build(set, name, funcs)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		t.pages[name] = &page{family: files[name].family, files: set.files, run: run}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, nil
}

func isShared(name string) bool {
	return slices.ContainsFunc(sharedDirs, func(dir string) bool { return strings.HasPrefix(name, dir) })
}

// Names returns the templates that a route can name, sorted.
func (t *Templates) Names() []string { return slices.Sorted(maps.Keys(t.pages)) }

// Hashes returns the hex SHA-256 of each template file, layouts and partials
// too, by the name that the tag "template:NAME" of the pages made with it has.
func (t *Templates) Hashes() map[string]string { return maps.Clone(t.hashes) }

// templateTag is the tag of the pages that are made with a file.
func templateTag(file string) string { return "template:" + file }

// execute runs the page called name, which must be one of Names. The output
// comes whole or not at all: a template that fails leaves half a page behind.
func (t *Templates) execute(ctx context.Context, name string, limit int64, data map[string]any) (_ []byte, err error) {
	p := t.pages[name]
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("template %s: panic: %v", name, r)
		}
	}()
	held, err := budget.NewBuffer(ctx, 0)
	if err != nil {
		return nil, err
	}
	out := &buffer{ctx: ctx, limit: limit, bytes: held}
	if err := p.run.Execute(out, data); err != nil {
		return nil, err
	}
	body := out.bytes.Bytes()
	if p.family == familyJSON && !json.Valid(body) {
		return nil, fmt.Errorf("template %s: the output is not JSON; an action writes its value with quotes: {\"title\": {{.post.title}}}", name)
	}
	return body, nil
}

// buffer is where a template writes to. It stops the template when the page is
// too large or nobody wants it any more; nothing else can.
//
// BUG(renderer): a template that loops without writing is not stopped.
type buffer struct {
	ctx   context.Context // of the one execution that the buffer lives for
	limit int64
	bytes *budget.Buffer
}

// longValue is from when on what is printed in one piece is counted, in bytes:
// it was escaped and formatted on its way, and there are copies of it.
const longValue = 64 << 10

func (b *buffer) Write(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, storage.Temporary(fmt.Errorf("template stopped: %w", err))
	}
	if int64(b.bytes.Len()+len(p)) > b.limit {
		return 0, &storage.RefusedError{
			Gate:   "too_large",
			Reason: fmt.Sprintf("the page has more than %d bytes; if it should, raise the route's gates.max_bytes", b.limit),
		}
	}
	if len(p) < longValue {
		return b.bytes.Write(p)
	}
	size := int64(len(p))
	if err := budget.Grow(b.ctx, 2*size); err != nil {
		return 0, err
	}
	if n, err := b.bytes.Write(p); err != nil {
		return n, err
	}
	return len(p), budget.Grow(b.ctx, -2*size)
}

// parseFile parses one file by itself. What it uses of others is checked when
// they are all there.
func parseFile(name string, src []byte, funcs map[string]any) (*file, error) {
	src = bytes.TrimPrefix(src, []byte("\ufeff")) // an editor's byte order mark would stand before the doctype
	if !utf8.Valid(src) {
		return nil, fmt.Errorf("template: %s: is not valid UTF-8", name)
	}
	fam := families[path.Ext(name)]
	if fam == familyXML {
		if err := checkXML(name, string(src)); err != nil {
			return nil, err
		}
	}
	return newFile(name, fam, string(src), funcs)
}
