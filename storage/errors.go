package storage

import (
	"errors"
	"fmt"
	"time"
)

// The outcomes of a render that somebody above decides about. Every floor
// below the worker returns one of these, wrapped with %w; only the worker
// retries, by the one table in worker/decide.go. An error that is none of them
// is permanent: it comes again until a person changes something.
var (
	// ErrGone says that the source answered, and that this page is not there
	// any more. It is never said of an answer that could be a mistake (401,
	// 403, 5xx): those are temporary.
	ErrGone = errors.New("gone")

	// ErrLost says that another run owns the page now; the caller must stop
	// without touching anything.
	ErrLost = errors.New("the page belongs to a newer run")

	// ErrForeign says that the file in the way was not written by Rebake, and
	// so is neither overwritten nor deleted.
	ErrForeign = errors.New("the file was not written by rebake")

	// ErrFileDirConflict says that a page's file and another page's directory
	// have the same name (/feed.xml and /feed.xml/x): only the first exists.
	ErrFileDirConflict = errors.New("file_dir_conflict")
)

// GoneError is an ErrGone that says why, and until when.
type GoneError struct {
	Reason string // for people
	// Until is when the page must be looked at again, since its content says
	// that it begins then; zero for never.
	Until time.Time
}

func (e *GoneError) Error() string { return fmt.Sprintf("%s: %v", e.Reason, ErrGone) }

// Is makes a GoneError an ErrGone.
func (e *GoneError) Is(target error) bool { return target == ErrGone }

// TemporaryError is a failure that may go away by itself: an upstream that is
// slow, down, or asks for patience; a full disk; a Redis that is restarting.
type TemporaryError struct {
	Err error
	// After is how long the upstream asked to be left alone (Retry-After);
	// zero when it did not say.
	After time.Duration
	// NotAsked says that the upstream is known to be down, and was left alone:
	// it was no try. After is when to come again then.
	NotAsked bool
}

// Temporary wraps err as a failure that is worth another try.
func Temporary(err error) error { return &TemporaryError{Err: err} }

func (e *TemporaryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TemporaryError) Unwrap() error { return e.Err }

// RefusedError is a render that came to its end and may not be published.
type RefusedError struct {
	Gate   string // the gate's name as in product.md, for example "too_large"
	Reason string // what a person needs to know to mend it
	// CutOff says that the answer may have been cut off on its way: a few more
	// tries are worth it.
	CutOff bool
}

func (e *RefusedError) Error() string { return fmt.Sprintf("refused by gate %s: %s", e.Gate, e.Reason) }
