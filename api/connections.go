package api

import (
	"bytes"
	"fmt"
	"net"
	"sync"
)

// connections is a listener that lets so many connections be open at once, and
// no more; others wait to be accepted. Close also ends an Accept that waits.
type connections struct {
	*net.TCPListener
	slots chan struct{}
	done  chan struct{}
	end   func()
}

func newConnections(l *net.TCPListener, most int) *connections {
	c := &connections{TCPListener: l, slots: make(chan struct{}, most), done: make(chan struct{})}
	c.end = sync.OnceFunc(func() { close(c.done) })
	return c
}

// listenTCP takes the address.
func listenTCP(addr string) (*connections, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return newConnections(l.(*net.TCPListener), maxConnections), nil
}

func (l *connections) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	leave := sync.OnceFunc(func() { <-l.slots })
	c, err := l.AcceptTCP()
	if err != nil {
		leave()
		return nil, err
	}
	return &connection{c, leave}, nil
}

func (l *connections) Close() error {
	l.end()
	return l.TCPListener.Close()
}

// connection is one that gives its place back when it is closed. It is a TCP
// connection in all else: net/http closes one half of it after a refusal, so
// that a client which still sends can read why.
type connection struct {
	*net.TCPConn
	leave func()
}

func (c *connection) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}

// ownHead is how the head of net/http's own answers goes on after the status.
// It sends them at once, before any handler, for requests that it cannot read.
var ownHead = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

// Write says of net/http's own answers that they are not to be stored, as all
// refusals do.
func (c *connection) Write(b []byte) (int, error) {
	status, body, own := bytes.Cut(b, ownHead)
	if !own || !bytes.HasPrefix(status, []byte("HTTP/1.1 ")) || bytes.Contains(status, []byte("\r\n")) {
		return c.TCPConn.Write(b)
	}
	answer := bytes.Join([][]byte{status, []byte("\r\nCache-Control: no-store"), ownHead, body}, nil)
	if n, err := c.TCPConn.Write(answer); err != nil {
		return min(n, len(b)), err
	}
	return len(b), nil
}
