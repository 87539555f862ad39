package output

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rebake/storage"
)

// etag is what nginx makes of a file: the whole second and the size.
func (s *site) etag(name string) [2]int64 {
	s.t.Helper()
	info := s.stat(name)
	return [2]int64{info.ModTime().Unix(), info.Size()}
}

func TestPublish_H107_H109_OtherBytesGetALaterSecond(t *testing.T) {
	y2099 := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	// The clock of a bubble stands still, so that all happens in one second.
	for name, c := range map[string]struct {
		between func(*site) // after version 1, before version 2
		want    time.Duration
	}{
		"of one second":    {func(*site) {}, time.Second},
		"after a removal":  {func(s *site) { s.take("/a") }, time.Second},
		"after a fraction": {func(s *site) { s.date("a/index.html", time.Now().Add(500*time.Millisecond)) }, time.Second},
		"from ahead":       {func(s *site) { s.date("a/index.html", time.Now().Add(3*time.Second)) }, 4 * time.Second},
		"from long ago":    {func(s *site) { s.date("a/index.html", time.Unix(1, 0)) }, time.Second},
		"from 2099":        {func(s *site) { s.date("a/index.html", y2099) }, time.Second},
		"after the removal of a file from long ago": {func(s *site) {
			s.date("a/index.html", time.Unix(1, 0))
			s.take("/a")
		}, time.Second},
		"after the removal of a file from 2099": {func(s *site) {
			s.date("a/index.html", y2099)
			s.take("/a")
		}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, "gzip")
				start := time.Now()
				s.put("/a", text(1, 4000))
				first, gz := s.etag("a/index.html"), s.etag("a/index.html.gz")
				c.between(s)
				if res := s.put("/a", text(2, 4000)); !res.MTime.Equal(start.Add(c.want)) {
					t.Errorf("dated %v after the first, want %v", res.MTime.Sub(start), c.want)
				}
				if s.etag("a/index.html") == first || s.etag("a/index.html.gz") == gz {
					t.Error("the ETag of nginx is that of the first version")
				}
			})
		})
	}
}

func TestPublish_HotPageWaitsForItsSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		start := time.Now()
		const versions = 20
		for v := range versions {
			res := s.put("/a", text(v, 100))
			if want := start.Add(time.Duration(v) * time.Second); !res.MTime.Equal(want) {
				t.Fatalf("version %d is dated %v, want %v", v, res.MTime, want)
			}
			if ahead := time.Until(res.MTime); ahead > mostAhead {
				t.Fatalf("version %d is %v ahead of the clock", v, ahead)
			}
		}
		if want := (versions - 1) * time.Second; time.Since(start) != want-mostAhead {
			t.Errorf("took %v, want %v", time.Since(start), want-mostAhead)
		}
	})
}

func TestPublish_EqualBytesWaitForNoSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.put("/a", "x")
		s.date("a/index.html", time.Now().Add(time.Minute))
		start := time.Now()
		s.put("/a", "x")
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

// A clock that was half an hour fast and has been set right must not stop the
// site for half an hour.
func TestPublish_WaitsNoLongerThanASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.put("/a", "1")
		ahead := time.Now().Add(30 * time.Minute)
		s.date("a/index.html", ahead)
		start := time.Now()
		res := s.put("/a", "2")
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
		if !res.MTime.After(ahead) {
			t.Errorf("dated %v, want after %v", res.MTime, ahead)
		}
	})
}

func TestPublish_StopsWaitingForItsSecondWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.put("/a", "1")
		s.date("a/index.html", time.Now().Add(time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := s.Publish(ctx, page("/a", "2"), s.prev["/a"], allow)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want a deadline", err)
		}
		wantTemporary(t, err)
	})
}

// What the ledger knows counts also when somebody has dated the file far ahead.
func TestNextMTime_IgnoresOnlyTheWrongDate(t *testing.T) {
	s := newSite(t)
	s.write("a/index.html", "x")
	now := time.Unix(2e9, 0)
	s.date("a/index.html", now.Add(24*time.Hour))
	got := nextMTime(s.stat("a/index.html"), storage.Published{MTime: now}, now)
	if want := now.Add(time.Second); !got.Equal(want) {
		t.Errorf("dated %v, want %v", got, want)
	}
}
