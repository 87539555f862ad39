package output

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"rebake/storage"
)

// Owner says whose an output directory is. Two publishers that do not share
// their locks, or do not share a ledger, would overwrite each other's pages.
type Owner struct {
	// Site is the host of the site.
	Site string `json:"site"`
	// State names the state directory, whose locks keep publishers apart, and
	// Dir says for people where that was.
	State string `json:"state"`
	Dir   string `json:"dir,omitempty"`
	// Ledger names the ledger that knows the pages, "" for one that forgets
	// them; Redis says for people where that was, without a password.
	Ledger string `json:"ledger,omitempty"`
	Redis  string `json:"redis,omitempty"`
}

// OwnedError says that the directory is somebody else's.
type OwnedError struct{ By Owner }

func (e *OwnedError) Error() string { return "the output belongs to " + e.By.Site }

// ErrUnmarked says that there is no place to remember the owner at: the file
// system has no extended attributes, and no file can be made beside the
// directory.
var ErrUnmarked = errors.New("the output cannot be marked as this site's")

// ownerAttr is where the owner stands: an attribute of the directory itself,
// which moves with it, is not there when its disk is not, and is served by no
// web server.
const ownerAttr = "user.rebake.owner"

// maxOwner is the most bytes of an attribute that ext4 keeps without a block
// of its own, and some room less.
const maxOwner = 2048

// Owned returns an *OwnedError when the directory is somebody else's, and
// changes nothing.
func (d *Dir) Owned(o Owner) error {
	o.State = d.stateID
	had, err := d.Owner()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && !had.fits(o):
		return &OwnedError{had}
	}
	return err
}

// Claim makes the directory the owner's, or returns an *OwnedError. With take
// it is made so whoever it belongs to. State and Dir are those of the Dir; an
// owner without a ledger leaves the mark of one that is there.
func (d *Dir) Claim(o Owner, take bool) error {
	o.State, o.Dir = d.stateID, d.state
	for {
		had, err := d.Owner()
		first := errors.Is(err, fs.ErrNotExist)
		switch {
		case first:
		case err != nil:
			return err
		case !take && !had.fits(o):
			return &OwnedError{had}
		case o.Ledger == "" && had.fits(o):
			o.Ledger, o.Redis = had.Ledger, had.Redis
		}
		if had == o {
			return nil
		}
		err = d.mark(o, first)
		if first && errors.Is(err, fs.ErrExist) {
			continue // another process was faster
		}
		return err
	}
}

// fits reports whether both may publish into one directory.
func (o Owner) fits(other Owner) bool {
	return o.Site == other.Site && o.State == other.State && (o.Ledger == other.Ledger || o.Ledger == "" || other.Ledger == "")
}

// Owner returns whose the directory is; fs.ErrNotExist when nobody has claimed
// it. A mark that cannot be understood is one of nobody known.
func (d *Dir) Owner() (Owner, error) {
	var o Owner
	b, err := d.readMark()
	if err != nil {
		return o, fmt.Errorf("read the owner of output: %w", err)
	}
	if json.Unmarshal(b, &o) != nil {
		return Owner{Site: "an unknown site"}, nil
	}
	return o, nil
}

func (d *Dir) readMark() ([]byte, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, 2*maxOwner)
	n, err := unix.Fgetxattr(int(f.Fd()), ownerAttr, buf)
	switch {
	case errors.Is(err, unix.ENODATA):
		return nil, fs.ErrNotExist
	case errors.Is(err, unix.ENOTSUP):
		return os.ReadFile(d.beside())
	case err != nil:
		return nil, err
	}
	return buf[:n], nil
}

// mark writes the owner; with first it returns fs.ErrExist when there is one.
func (d *Dir) mark(o Owner, first bool) error {
	if len(o.Dir)+len(o.Redis) > maxOwner/2 {
		o.Dir, o.Redis = "", ""
	}
	b, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("mark output: %w", err)
	}
	f, err := d.root.Open(".")
	if err != nil {
		return fmt.Errorf("mark output: %w", err)
	}
	defer f.Close()
	flags := 0
	if first {
		flags = unix.XATTR_CREATE
	}
	err = unix.Fsetxattr(int(f.Fd()), ownerAttr, b, flags)
	if errors.Is(err, unix.ENOTSUP) {
		err = storage.WriteWhole(d.beside(), b, first)
	}
	switch {
	case err == nil:
		return f.Sync()
	case errors.Is(err, fs.ErrExist):
		return fs.ErrExist
	}
	return fmt.Errorf("%w: %w", ErrUnmarked, err)
}

// beside is the file that holds the owner where the file system has no
// attributes.
func (d *Dir) beside() string {
	return filepath.Join(filepath.Dir(d.path), "."+filepath.Base(d.path)+".rebake")
}

// stateID returns the name of a state directory, which the first start makes
// up. It is in the directory and not its path, which can be another on each
// machine that shares it. The caller has locked the directory.
func stateID(state string) (string, error) {
	name := filepath.Join(state, "id")
	b, err := os.ReadFile(name)
	if err == nil && len(b) > 0 {
		return string(b), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read state: %w", err)
	}
	id := rand.Text()
	if err := storage.WriteWhole(name, []byte(id), false); err != nil {
		return "", fmt.Errorf("write into state: %w", err)
	}
	return id, nil
}
