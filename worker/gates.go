package worker

import (
	"bytes"
	"fmt"
	"mime"
	"unicode/utf8"

	"rebake/renderer"
	"rebake/storage"
)

// CheckGates refuses a render that no reader should see. The last good page
// stays then. Errors are *storage.RefusedError.
func CheckGates(page storage.Page, g renderer.Gates) error {
	refuse := func(gate, format string, args ...any) error {
		return &storage.RefusedError{Gate: gate, Reason: fmt.Sprintf(format, args...), CutOff: g.CutOff && (gate == "empty" || gate == "complete")}
	}
	body := bytes.TrimSpace(page.Body)
	if len(body) == 0 {
		return refuse("empty", "the page has no content")
	}
	if n := int64(len(page.Body)); n > g.MaxBytes {
		return refuse("too_large", "the page has %d bytes and its route allows %d (gates.max_bytes)", n, g.MaxBytes)
	}
	if storage.IsText(page.Type) && !utf8.Valid(page.Body) {
		return refuse("encoding", "the page is not valid UTF-8")
	}
	got, _, err := mime.ParseMediaType(page.Type)
	if err != nil {
		return refuse("type_mismatch", "the media type %q cannot be read", page.Type)
	}
	if want := page.Path.FileType(); want != "" && got != want {
		return refuse("type_mismatch", "the page is %s and %s promises %s", got, page.Path.File(), want)
	}
	if page.Path.FileFor(got) == "" {
		return refuse("type_mismatch", "the page is %s, which needs a path with an extension", got)
	}
	if got == "text/html" && g.Complete && !endsWithHTML(body) {
		return refuse("complete", "the page does not end in </html>; if that is right, set gates: {complete: false} on its route")
	}
	return nil
}

// endsWithHTML reports whether the page came through to its end: an answer
// that was cut off on the way can look like a good one otherwise.
func endsWithHTML(trimmed []byte) bool {
	const end = "</html>"
	n := len(trimmed) - len(end)
	return n >= 0 && bytes.EqualFold(trimmed[n:], []byte(end))
}
