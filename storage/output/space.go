package output

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rebake/storage"
)

// Space is how much of a file system is kept free of new pages: a size such as
// 500MB or 1GiB, a share of the disk such as 5%, "auto" for 2 %, but at most
// 1 GiB, or "off". The zero value is "off". Inodes are kept free too, where
// the file system has a fixed number of them: the share, or 2 %, but at most
// 10,000.
type Space string

const (
	autoShare  = 0.02
	autoBytes  = 1 << 30
	autoInodes = 10_000
)

// units are those of a size, the longest first.
var units = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

var errSpace = errors.New("must be a size such as 500MB or 1GiB, a share such as 5%, auto or off")

// UnmarshalText refuses what is no space.
func (s *Space) UnmarshalText(text []byte) error {
	*s = Space(text)
	_, _, err := s.parse()
	return err
}

// parse returns the share of the disk, or the size in bytes; the other is 0.
func (s Space) parse() (share, bytes float64, err error) {
	switch s {
	case "auto":
		return autoShare, 0, nil
	case "", "off":
		return 0, 0, nil
	}
	number, unit := strings.CutSuffix(string(s), "%")
	if unit {
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(n >= 0 && n < 100) {
			return 0, 0, errSpace
		}
		return n / 100, 0, nil
	}
	for _, u := range units {
		number, ok := strings.CutSuffix(string(s), u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(n >= 0 && n*u.bytes < 1<<62) {
			return 0, 0, errSpace
		}
		return 0, n * u.bytes, nil
	}
	return 0, 0, errSpace
}

// floor returns how many bytes and inodes of a file system stay free.
func (s Space) floor(st unix.Statfs_t) (bytes, inodes uint64) {
	share, size, err := s.parse()
	if err != nil || share == 0 && size == 0 {
		return 0, 0
	}
	bytes, inodes = uint64(size), min(uint64(autoShare*float64(st.Files)), autoInodes)
	if share > 0 {
		bytes = uint64(share * float64(st.Blocks) * float64(st.Bsize))
		inodes = uint64(share * float64(st.Files))
	}
	if s == "auto" {
		bytes, inodes = min(bytes, autoBytes), min(inodes, autoInodes)
	}
	return bytes, inodes
}

// Room reports whether there is room for a page that has no file yet. When a
// disk fills up, new pages stop first, so that those that are there can still
// be replaced. The error is temporary.
func (d *Dir) Room() error {
	if d.keepFree == "" || d.keepFree == "off" {
		return nil
	}
	f, err := d.root.Open(".")
	if err != nil {
		return storage.Temporary(fmt.Errorf("look at the disk of output: %w", err))
	}
	defer f.Close()
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return storage.Temporary(fmt.Errorf("look at the disk of output: %w", err))
	}
	bytes, inodes := d.keepFree.floor(st)
	free := st.Bavail * uint64(st.Bsize)
	const wait = "new pages wait, those that are there are still replaced (limits.free_space)"
	switch {
	case free < bytes:
		return storage.Temporary(fmt.Errorf("the disk of output has %s left, and %s of it stay free: %s", size(free), size(bytes), wait))
	case st.Files > 0 && st.Ffree < inodes:
		return storage.Temporary(fmt.Errorf("the disk of output has %d inodes left, and %d of them stay free: %s", st.Ffree, inodes, wait))
	}
	return nil
}

// size writes a number of bytes for people.
func size(n uint64) string {
	at := 0
	v := float64(n)
	for names := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}; ; at++ {
		if v < 1024 || at == len(names)-1 {
			if at == 0 {
				return fmt.Sprintf("%d bytes", n)
			}
			return fmt.Sprintf("%.1f %s", v, names[at])
		}
		v /= 1024
	}
}
