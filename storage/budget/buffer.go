package budget

import (
	"context"
	"errors"
	"io"
)

// Buffer collects bytes that are counted, as far as its context has a claim.
// The zero value cannot be used.
type Buffer struct {
	ctx   context.Context // of the one render that the buffer lives for
	bytes []byte
}

// smallest is the first capacity of a buffer, in bytes.
const smallest = 4 << 10

// NewBuffer makes a buffer that has room for so many bytes, if that is known,
// without growing.
func NewBuffer(ctx context.Context, expected int64) (*Buffer, error) {
	b := &Buffer{ctx: ctx}
	return b, b.grow(int(max(expected, smallest)))
}

// Write appends p. The only error is ErrFull.
func (b *Buffer) Write(p []byte) (int, error) {
	if need := len(b.bytes) + len(p); need > cap(b.bytes) {
		if err := b.grow(max(need, 2*cap(b.bytes))); err != nil {
			return 0, err
		}
	}
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}

// ReadFrom appends all that r has. The errors are r's and ErrFull.
func (b *Buffer) ReadFrom(r io.Reader) (n int64, err error) {
	for {
		if len(b.bytes) == cap(b.bytes) {
			if err := b.grow(2 * cap(b.bytes)); err != nil {
				return n, err
			}
		}
		got, err := r.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+got]
		n += int64(got)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// grow moves the bytes to where there is more room. Both places are counted
// until then.
func (b *Buffer) grow(capacity int) error {
	if err := Grow(b.ctx, int64(capacity)); err != nil {
		return err
	}
	old := cap(b.bytes)
	b.bytes = append(make([]byte, 0, capacity), b.bytes...)
	return Grow(b.ctx, -int64(old))
}

// Len is how many bytes there are.
func (b *Buffer) Len() int { return len(b.bytes) }

// Bytes returns them; the buffer is not used any more then.
func (b *Buffer) Bytes() []byte { return b.bytes }
