package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/fatih/color"
)

// longestLine is how much of a line is kept while its end is waited for.
const longestLine = 64 << 10

// printer puts what the processes print into one stream, line by line, each
// with the name of its process. Safe for concurrent use.
type printer struct {
	width int

	mu  sync.Mutex // guards out, so that lines stay whole
	out io.Writer
	n   int // guarded by mu, counts the writers, for their colours
}

func newPrinter(out io.Writer, entries []entry) *printer {
	p := &printer{out: out, width: len("procfile")}
	for _, e := range entries {
		p.width = max(p.width, len(e.name))
	}
	return p
}

// say prints a line of this program's own.
func (p *printer) say(format string, args ...any) {
	p.line(color.New(color.Bold), "procfile", fmt.Appendf(nil, format, args...))
}

func (p *printer) line(paint *color.Color, name string, text []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Padded before it is painted: colours have no width.
	fmt.Fprintf(p.out, "%s %s\n", paint.Sprintf("%-*s |", p.width, name), text)
}

// writer returns where the process of the name prints. It is for one
// goroutine at a time.
func (p *printer) writer(name string) *lineWriter {
	colours := []color.Attribute{color.FgCyan, color.FgYellow, color.FgGreen, color.FgMagenta, color.FgBlue, color.FgRed}
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &lineWriter{printer: p, name: name, paint: color.New(colours[p.n%len(colours)])}
	p.n++
	return w
}

// lineWriter passes whole lines on, and keeps the beginning of the next.
type lineWriter struct {
	printer *printer
	name    string
	paint   *color.Color
	rest    []byte
}

// Write never fails.
func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found && len(w.rest) < longestLine {
			return len(b), nil
		}
		w.print(line)
		w.rest = rest
	}
}

// flush prints a last line that has no end.
func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.print(w.rest)
		w.rest = nil
	}
}

func (w *lineWriter) print(line []byte) {
	w.printer.line(w.paint, w.name, bytes.TrimSuffix(line, []byte("\r")))
}
