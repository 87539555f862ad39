package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"rebake/api/webhook"
)

func TestBody_read(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 513, freeBody - 1, freeBody, freeBody + 1, 100_000, 1 << 20} {
		for _, announced := range []int64{-1, 0, int64(size), int64(size) / 2, 1 << 40} {
			b := &bodies{most: 1 << 30}
			o := &body{of: b}
			want := bytes.Repeat([]byte("x"), size)
			for name, src := range map[string]io.Reader{"whole": bytes.NewReader(want), "in halves": iotest.HalfReader(bytes.NewReader(want)), "with its end": iotest.DataErrReader(bytes.NewReader(want))} {
				if got, err := o.read(src, announced); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes, %d announced, %s: %d bytes, %v", size, announced, name, len(got), err)
				}
			}
			if most := 3 * 2 * int64(size); b.held > most || size > freeBody && b.held == 0 {
				t.Errorf("%d bytes, %d announced: %d are counted", size, announced, b.held)
			}
			if o.release(); b.held != 0 {
				t.Errorf("%d bytes are counted still", b.held)
			}
		}
	}
}

func TestBody_read_failsWithItsSource(t *testing.T) {
	o := &body{of: &bodies{most: 1}}
	if _, err := o.read(iotest.ErrReader(io.ErrUnexpectedEOF), 5); err != io.ErrUnexpectedEOF {
		t.Errorf("read: %v", err)
	}
}

// One that is alone has all the room that it may have.
func TestBody_read_alone(t *testing.T) {
	b := &bodies{most: freeBody}
	large := strings.Repeat("x", 4*freeBody)
	if _, err := (&body{of: b}).read(strings.NewReader(large), -1); err != nil {
		t.Errorf("read: %v", err)
	}
	if _, err := (&body{of: b}).read(strings.NewReader(large), -1); err != errNoRoom {
		t.Errorf("read of another: %v", err)
	}
}

// strangers send bodies that nobody vouches for, and never end.
type strangers struct {
	f       *fixture
	done    sync.WaitGroup
	bodies  []*io.PipeWriter
	answers chan *httptest.ResponseRecorder
}

func (s *strangers) send(n, size int) {
	for range n {
		src, to := io.Pipe()
		s.bodies = append(s.bodies, to)
		r := httptest.NewRequest("POST", "/_rebake/webhooks/strapi", src)
		s.done.Go(func() {
			w := httptest.NewRecorder()
			s.f.Public().ServeHTTP(w, r)
			_ = src.Close() // as net/http does
			s.answers <- w
		})
		s.done.Go(func() { _, _ = io.WriteString(to, strings.Repeat("x", size)) })
	}
}

// leave ends all bodies half way.
func (s *strangers) leave() {
	for _, to := range s.bodies {
		_ = to.CloseWithError(io.ErrUnexpectedEOF)
	}
	s.done.Wait()
}

func TestPublic_bodiesOfStrangersHoldSoMuchMemory(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi"}})
	f.bodies.most = 4 << 20
	const all, room = 20, 4
	s := &strangers{f: f, answers: make(chan *httptest.ResponseRecorder, all)}
	s.send(all, 1<<20-1)
	for range all - room - 1 { // more have no room as they go on, but none is left with it all
		w := <-s.answers
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"busy"`) {
			t.Fatalf("answer is %d %s", w.Code, w.Body)
		}
	}
	f.bodies.mu.Lock()
	if held := f.bodies.held; held > f.bodies.most {
		t.Errorf("%d bytes are held, more than %d", held, f.bodies.most)
	}
	f.bodies.mu.Unlock()
	if w := f.send("strapi", articleHi); w.Code != 200 {
		t.Errorf("an event beside them: %d %s", w.Code, w.Body)
	}
	s.leave()
	if f.bodies.held != 0 {
		t.Errorf("%d bytes are held when they have left", f.bodies.held)
	}
	large := strings.Replace(articleHi, "{", `{"pad":"`+strings.Repeat("x", 1<<19)+`",`, 1)
	if w := f.send("strapi", large); w.Code != 200 || f.bodies.held != 0 {
		t.Errorf("a large event: %d %s; %d bytes are held", w.Code, w.Body, f.bodies.held)
	}
}

func TestWebhook_bodyWithoutRoomIsLost(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi"}})
	f.bodies.held, f.bodies.most = 1, 1
	f.send("strapi", `{"pad":"`+strings.Repeat("x", 1<<19)+`"}`).wants(http.StatusServiceUnavailable, "busy")
	f.counted("strapi", "lost", 1)
	if !strings.Contains(f.logs.String(), "its sender has to send it again") {
		t.Errorf("the log says %s", f.logs)
	}
}
