package output

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rebake/storage"
)

func TestSpace(t *testing.T) {
	const gib = 1 << 30
	disk := func(bytes, inodes uint64) unix.Statfs_t {
		return unix.Statfs_t{Bsize: 4096, Blocks: bytes / 4096, Files: inodes}
	}
	for text, c := range map[string]struct {
		disk          unix.Statfs_t
		bytes, inodes uint64
	}{
		"":        {disk(gib, 1000), 0, 0},
		"off":     {disk(gib, 1000), 0, 0},
		"0%":      {disk(gib, 1000), 0, 0},
		"auto":    {disk(10*gib, 100_000), 2 * 10 * gib / 100, 2000},
		"5%":      {disk(100*gib, 1e6), 5 * gib, 50_000},
		"2.5 %":   {disk(40*gib, 1000), gib, 25},
		"500MB":   {disk(100*gib, 1e6), 500e6, 10_000},
		"1GiB":    {disk(100*gib, 1000), gib, 20},
		"100 kB":  {disk(gib, 0), 100e3, 0},
		"4096B":   {disk(gib, 0), 4096, 0},
		"0.5 TiB": {disk(100*gib, 0), 512 * gib, 0},
	} {
		var s Space
		if err := s.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		bytes, inodes := s.floor(c.disk)
		if diff := int64(bytes) - int64(c.bytes); diff < -4096 || diff > 4096 || inodes != c.inodes {
			t.Errorf("%q keeps %d bytes and %d inodes free, want %d and %d", text, bytes, inodes, c.bytes, c.inodes)
		}
	}
	if bytes, inodes := Space("auto").floor(disk(1000*gib, 1e9)); bytes != gib || inodes != 10_000 {
		t.Errorf("auto keeps %d bytes and %d inodes of a large disk free", bytes, inodes)
	}
	for _, text := range []string{"much", "1", "-1%", "100%", "NaN%", "-5MB", "GiB", "1e99GB", "5 % of it"} {
		if err := new(Space).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a space", text)
		}
	}
}

func TestPublish_H96_NewPagesStopFirst(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	for name, c := range map[string]struct {
		options string
		keep    Space
		body    int
		want    string
	}{
		"bytes":  {"size=4m", "2MiB", 100_000, "of it stay free: new pages wait"},
		"inodes": {fmt.Sprintf("size=4m,nr_inodes=%d", 2*(stripes+stagings+20)), "40%", 10, "inodes left"},
	} {
		t.Run(name, func(t *testing.T) {
			base := filepath.Join(t.TempDir(), "small")
			mount(t, base, c.options)
			s := openSite(t, Config{Dir: base + "/public", State: base + "/state", FreeSpace: c.keep})
			var err error
			n := 0
			for ; err == nil; n++ {
				_, err = s.Publish(t.Context(), page(fmt.Sprintf("/p%d", n), text(n, c.body)), storage.Published{}, allow)
			}
			wantTemporary(t, err)
			if !strings.Contains(err.Error(), c.want) || n < 10 {
				t.Errorf("page %d: %v; want %q in it, and not so soon", n, err, c.want)
			}
			for i := range n - 1 {
				s.put(fmt.Sprintf("/p%d", i), text(1000+i, c.body))
			}
			s.take("/p0")
			s.take("/p1")
			s.put("/new", text(1, c.body))
		})
	}
}
