package upstream

import (
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
)

// transportFault is a failure on the way. Its text is cut so that it repeats
// nothing that was sent or received.
type transportFault struct {
	text string
	err  error
}

func (e *transportFault) Error() string { return e.text }
func (e *transportFault) Unwrap() error { return e.err }

func isTransport(err error) bool {
	var fault *transportFault
	return errors.As(err, &fault)
}

func transportError(err error) error {
	// The text of url.Error holds the whole URL.
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var op *net.OpError
	text := err.Error()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		text = "the answer ended early"
	case errors.As(err, &op):
		text = op.Error()
	default:
		// What net/http puts into quotes was sent by the server, which may
		// repeat what it was asked.
		if head, _, found := strings.Cut(text, `"`); found {
			text = head + "…"
		}
	}
	return &transportFault{text: text, err: err}
}
