package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// maxConnections bounds one listener, against clients that connect and wait.
const maxConnections = 4096

// Listener is a server on one address. Listening and serving are two steps, so
// that an address in use is found before anything starts, and port 0 works.
type Listener struct {
	listener net.Listener
	server   *http.Server
	grace    time.Duration
}

// Listen takes the address. grace is how long a stop waits for the requests
// under way.
func Listen(addr string, h http.Handler, grace time.Duration, log *slog.Logger) (*Listener, error) {
	l, err := listenTCP(addr)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	server := &Listener{
		listener: l,
		grace:    grace,
		server: &http.Server{
			Handler:           h,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       15 * time.Second,
			WriteTimeout:      30 * time.Second, // longer for a request that waits
			IdleTimeout:       60 * time.Second,
			MaxHeaderBytes:    16 << 10,
			// "OPTIONS *" is a request like any other, and not answered 200.
			DisableGeneralOptionsHandler: true,
			ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
			BaseContext: func(net.Listener) context.Context {
				return context.WithValue(context.Background(), stoppingKey{}, ctx.Done())
			},
		},
	}
	server.server.RegisterOnShutdown(stop)
	return server, nil
}

// stoppingKey is that of a channel in every request's context.
type stoppingKey struct{}

// stopping returns a channel that is closed when the server begins to stop.
// Requests come to their end then, all but those that have none.
func stopping(r *http.Request) <-chan struct{} {
	c, _ := r.Context().Value(stoppingKey{}).(<-chan struct{})
	return c
}

// Addr returns the address that was taken.
func (l *Listener) Addr() string { return l.listener.Addr().String() }

// Close gives the address back without serving.
func (l *Listener) Close() error { return l.listener.Close() }

// Run serves until ctx is done, then lets the requests under way end.
func (l *Listener) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- l.server.Serve(l.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.grace)
	defer cancel()
	err := l.server.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		err = l.server.Close() // a client that reads nothing does not hold up a stop
	}
	<-served
	return err
}
