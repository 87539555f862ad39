package storage

import (
	"fmt"
	"runtime/debug"
)

// PanicError is a panic that Contain has stopped. It is permanent: the same
// page would panic again.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine that panicked
}

func (e *PanicError) Error() string { return fmt.Sprintf("panicked: %v", e.Value) }

// Contain calls f, and makes an error of a panic in it: *PanicError. Whoever
// starts a goroutine in which templates, parsers or encoders run contains it,
// since nobody else can: a panic that reaches the end of a goroutine ends the
// process, and takes every other page with it.
func Contain(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
