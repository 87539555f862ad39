package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/andybalholm/brotli"

	"rebake/storage"
	"rebake/storage/output"
)

// publisherCommand has this program be a publisher.
const publisherCommand = "publisher"

// startPublisher runs this program as a publisher for a directory. It ends when
// its orders do.
func startPublisher(ctx context.Context, dir string) (*publisher, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &publisher{cmd: exec.CommandContext(ctx, self, publisherCommand, filepath.Join(dir, "public"), filepath.Join(dir, "state"))}
	p.cmd.Stderr = os.Stderr
	if p.orders, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	answers, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start publisher: %w", err)
	}
	p.says = bufio.NewScanner(answers)
	if !p.says.Scan() {
		p.end()
		return nil, errPublisherEnded
	}
	p.thread = p.says.Text()
	return p, nil
}

// publish is what a publisher does: it opens an output as Rebake does, says
// which thread works, and obeys. All system calls of one order come from that
// thread, so that strace can count them.
func publish(dir, state string, orders io.Reader, answers io.Writer) error {
	runtime.LockOSThread()
	out, err := output.Open(output.Config{Dir: dir, State: state, Compress: []string{"gzip", "br"}})
	if err != nil {
		return err
	}
	fmt.Fprintln(answers, syscall.Gettid())
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		answer := "ok"
		if err := obey(out, strings.Fields(lines.Text())); err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		fmt.Fprintln(answers, answer)
	}
	return out.Close()
}

func obey(out *output.Dir, order []string) error {
	p, err := storage.ParsePath(order[1])
	if err != nil {
		return err
	}
	allow := func(context.Context, bool) error { return nil }
	if order[0] == "remove" {
		_, err = out.Remove(context.Background(), p, storage.Published{Type: "text/html"}, allow)
		return err
	}
	page := storage.Page{Path: p, Type: "text/html", Body: []byte(sweptPage(order[2]))}
	_, err = out.Publish(context.Background(), page, storage.Published{}, allow)
	return err
}

// sweptPage is a page at a version, of a size of its own.
func sweptPage(version string) string {
	return makePage(makeItem("/swept", "", len(version), 8<<10)) + "<!-- " + version + " -->"
}

// view is what a reader finds of a page.
type view struct {
	there bool
	page  string
	side  map[string]string // .gz and .br, unpacked
	odd   []string          // what should not be there
}

func look(dir, path string) view {
	v := view{side: make(map[string]string)}
	folder := filepath.Join(dir, "public", path)
	files, _ := os.ReadDir(folder) // none without a page
	for _, f := range files {
		body, err := os.ReadFile(filepath.Join(folder, f.Name()))
		switch {
		case err != nil:
			v.odd = append(v.odd, err.Error())
		case f.Name() == "index.html":
			v.there, v.page = true, string(body)
		case f.Name() == "index.html.gz":
			zip, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				v.odd = append(v.odd, "a .gz that is none")
				continue
			}
			v.side[f.Name()] = unpacked(zip)
		case f.Name() == "index.html.br":
			v.side[f.Name()] = unpacked(brotli.NewReader(bytes.NewReader(body)))
		default:
			v.odd = append(v.odd, f.Name())
		}
	}
	return v
}

func unpacked(r io.Reader) string {
	text, err := io.ReadAll(r)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// is reports whether the page is there at a version, or away for "".
func (v view) is(version string) bool {
	return v.there == (version != "") && (version == "" || v.page == sweptPage(version))
}

// wrong says what a reader must not find between two versions.
func (v view) wrong(before, after string) string {
	switch {
	case len(v.odd) > 0:
		return fmt.Sprintf("there is %s beside the page", v.odd)
	case !v.is(before) && !v.is(after):
		return fmt.Sprintf("the page is neither the old nor the new one: there %t, %d bytes", v.there, len(v.page))
	}
	for name, text := range v.side {
		if text != v.page {
			return fmt.Sprintf("%s tells another story than its page", name)
		}
	}
	return ""
}

// incomplete says what is missing of a version, its .gz and .br included.
func (v view) incomplete(version string) string {
	want := 2
	if version == "" {
		want = 0
	}
	if why := v.wrong(version, version); why != "" {
		return why
	}
	if len(v.side) != want {
		return fmt.Sprintf("there are %d of .gz and .br, and not %d", len(v.side), want)
	}
	return ""
}
