package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// readPause is between two rounds over all pages.
const readPause = 15 * time.Millisecond

// Watch reads all pages again and again, as visitors would, until stop is
// called or ctx is done.
func (j *Judge) Watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			for _, path := range j.source.Paths() {
				j.inspect(path)
			}
			_ = Sleep(ctx, readPause)
		}
	}()
	return func() { cancel(); <-done }
}

// file is where the page of a path lies.
func (j *Judge) file(path string) string { return filepath.Join(j.output, path, "index.html") }

// file is one reading of a file.
type file struct {
	body   []byte
	absent bool
	err    error // the disk does not answer, which says nothing about the page
}

func readFile(name string) file {
	body, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return file{absent: true}
	}
	return file{body: body, err: err}
}

// inspect reads a page, its .gz, and the page once more: a .gz that is older
// than the first or newer than the second lay beside a page that it does not
// belong to.
func (j *Judge) inspect(path string) {
	name := j.file(path)
	first, packed, second := readFile(name), readFile(name+".gz"), readFile(name)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.reads++
	a := j.pages[path]
	from := j.look(path, a, first)
	zip := j.lookPacked(path, a, packed)
	to := j.look(path, a, second)
	switch {
	case zip > 0 && from > 0 && zip < from:
		j.tear(path, fmt.Sprintf("version %d lay beside version %d.gz", from, zip))
	case zip > 0 && to > 0 && zip > to:
		j.tear(path, fmt.Sprintf("version %d.gz lay beside version %d", zip, to))
	}
}

// misfit says in what way a page and its .gz do not belong together when
// nothing is being written any more, "" when they do.
func (j *Judge) misfit(path string) string {
	page, packed := readFile(j.file(path)), readFile(j.file(path)+".gz")
	switch {
	case page.err != nil || packed.err != nil:
		return errors.Join(page.err, packed.err).Error()
	case page.absent && packed.absent:
		return ""
	case page.absent:
		return "at the end there is a .gz and no page"
	case packed.absent:
		return "at the end there is no .gz"
	}
	v, err := readPage(path, page.body)
	zip, zipErr := unpack(path, packed.body)
	switch {
	case err != nil || zipErr != nil:
		return errors.Join(err, zipErr).Error()
	case v != zip:
		return fmt.Sprintf("at the end the page is version %d and its .gz version %d", v, zip)
	}
	return ""
}

// look judges one reading of a page and returns its version, 0 for none; mu is
// held.
func (j *Judge) look(path string, a *account, f file) (version int) {
	switch {
	case f.err != nil:
		return 0
	case f.absent:
		a.absent = a.seen
		return 0
	}
	v, err := readPage(path, f.body)
	if err != nil {
		j.tear(path, err.Error())
		return 0
	}
	if v < a.seen {
		j.older++
		j.note(fmt.Sprintf("older: %s went from version %d back to %d", path, a.seen, v))
	} else if v <= a.absent {
		j.older++
		j.note(fmt.Sprintf("older: %s was taken away after version %d, and then there was %d", path, a.absent, v))
	}
	a.seen = max(a.seen, v)
	return v
}

// lookPacked does the same for a .gz.
func (j *Judge) lookPacked(path string, a *account, f file) (version int) {
	if f.err != nil || f.absent {
		return 0
	}
	v, err := unpack(path, f.body)
	if err != nil {
		j.tear(path, ".gz: "+err.Error())
		return 0
	}
	if v < a.packed {
		j.older++
		j.note(fmt.Sprintf("older: %s.gz went from version %d back to %d", path, a.packed, v))
	}
	a.packed = max(a.packed, v)
	return v
}

func unpack(path string, packed []byte) (int, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return 0, err
	}
	body, err := io.ReadAll(zip)
	if err != nil {
		return 0, err
	}
	return readPage(path, body)
}

// tear is called with mu held.
func (j *Judge) tear(path, how string) {
	j.torn++
	j.note("torn: " + path + ": " + how)
}
