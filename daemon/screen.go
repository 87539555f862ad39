package daemon

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"
)

// screen is what a person reads. Where it is no terminal nothing is folded or
// cut, so that other programs find every line whole.
type screen struct {
	io.Writer
	width int // in columns; 0 when it is no terminal
}

func newScreen(w io.Writer) screen {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return screen{w, 0}
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col < 20 {
		return screen{w, 80}
	}
	return screen{w, int(size.Col)}
}

// fieldIndent is how far the values of fields stand in.
const fieldIndent = 13

// field prints a name and what there is to say, folded below itself.
func (s screen) field(name, format string, args ...any) {
	indent := "\n" + strings.Repeat(" ", fieldIndent)
	text := fmt.Sprintf(format, args...)
	if s.width > 0 {
		text = strings.Join(fold(text, s.width-fieldIndent), indent)
	}
	fmt.Fprintf(s, "  %-10s %s\n", name, text)
}

// note prints a sentence below what it is about.
func (s screen) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s.width > 0 {
		text = strings.Join(fold(text, s.width-2), "\n  ")
	}
	fmt.Fprintf(s, "  %s\n", text)
}

// fold breaks a text at spaces, so that no line is wider than width where that
// can be had: a path is not broken.
func fold(text string, width int) []string {
	if utf8.RuneCountInString(text) <= width {
		return []string{text}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// cut shortens a text without control sequences to width columns; 0 is no
// limit.
func cut(text string, width int) string {
	if width <= 0 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// ago says for people when something was.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Hour:
		return d.Round(time.Second).String() + " ago"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// age is how long ago something was, in at most four columns.
func age(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	switch d := max(0, now.Sub(t)); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 100*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// bytesOf says a size in at most seven columns.
func bytesOf(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%dB", n)
	case n < 1e6:
		return fmt.Sprintf("%.1fkB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1fMB", float64(n)/1e6)
}

// count says a number of things.
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
