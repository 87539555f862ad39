package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

const (
	// mostHeld is how many bytes of bodies strangers can have held at once. Who
	// they are is only known at the end of a body, most of which are signed.
	mostHeld = 32 << 20
	// freeBody is the part of each body that is not counted. Most events have no
	// more: they come through whatever else is sent.
	freeBody = 16 << 10
)

// errBusyBodies is for a body for which there is no room beside the others.
var errBusyBodies = &badRequest{http.StatusServiceUnavailable, "busy", "other requests take all the memory there is for bodies; send it again"}

// errNoRoom is that there is none.
var errNoRoom = errors.New("no room for the body")

// bodies counts the bytes of all bodies that are held, however slowly they come.
// Safe for concurrent use.
type bodies struct {
	most int64

	mu   sync.Mutex
	held int64 // guarded by mu
}

// body is what one request holds. A nil one is not counted.
type body struct {
	of   *bodies
	held int64 // guarded by of.mu
}

// bodyKey is that of a *body in a request's context.
type bodyKey struct{}

// within counts the bodies of requests until they are answered.
func (b *bodies) within(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one := &body{of: b}
		defer one.release()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), bodyKey{}, one)))
	})
}

// grow asks for room. One that is alone always has it: a webhook may be allowed
// more than there is for all.
func (o *body) grow(bytes int64) error {
	if o == nil {
		return nil
	}
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	if o.of.held+bytes > o.of.most && o.of.held > o.held {
		return errNoRoom
	}
	o.of.held += bytes
	o.held += bytes
	return nil
}

func (o *body) release() {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	o.of.held -= o.held
	o.held = 0
}

// read reads to the end. An announced length, less than 0 when there is none, is
// only believed as far as the body has come: who announces it need not send it.
func (o *body) read(src io.Reader, announced int64) ([]byte, error) {
	text := make([]byte, 0, 512)
	for {
		if len(text) == cap(text) {
			has := int64(cap(text))
			more := has // twice as much
			if announced >= has {
				more = min(more, announced+1-has) // and the end, which is to be read too
			}
			if counted := max(0, has+more-max(has, freeBody)); counted > 0 {
				if err := o.grow(counted); err != nil {
					return nil, err
				}
			}
			text = append(make([]byte, 0, has+more), text...)
		}
		n, err := src.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		switch {
		case errors.Is(err, io.EOF):
			return text, nil
		case err != nil:
			return text, err
		}
	}
}
