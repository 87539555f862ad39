package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What strace writes about a publisher, shortened.
const traced = `read(0<pipe:[1]>, "put /a new\n", 4096) = 11
openat(5</o>, "a", O_RDONLY|O_CLOEXEC|O_DIRECTORY) = 7</o/a>
newfstatat(7</o/a>, "index.html", 0xc0, AT_SYMLINK_NOFOLLOW) = -1 ENOENT (No such file or directory)
--- SIGURG {si_signo=SIGURG, si_code=SI_TKILL, si_pid=1, si_uid=0} ---
openat(AT_FDCWD</>, "/s/staging/1/.index.html2", O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 8</s/staging/1/.index.html2>
fsync(8</s/staging/1/.index.html2>) = -1 EIO (Input/output error) (INJECTED)
close(8</s/staging/1/.index.html2>) = 0
close(7</o/a>) = 0
write(1<pipe:[2]>, "ok\n", 3) = 3
`

func TestReadCalls_CountsByNameAndLeavesOutOrdersAndAnswers(t *testing.T) {
	type seen struct {
		name            string
		nth             int
		failed, changes bool
	}
	var got []seen
	for _, c := range readCalls(traced) {
		got = append(got, seen{c.name, c.nth, c.failed, c.changes()})
	}
	want := []seen{
		{"openat", 1, false, false}, {"newfstatat", 1, true, false}, {"openat", 2, false, true},
		{"fsync", 1, true, true}, {"close", 1, false, true}, {"close", 2, false, false},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestFired_OnlyWhatTheTraceShows(t *testing.T) {
	if !fired(traced, false) || fired(traced, true) || fired("fsync(8</s>) = 0\n", false) {
		t.Error("a fault that did not happen was seen, or one that did was not")
	}
	if !fired("+++ killed by SIGKILL +++\n", true) {
		t.Error("a kill was not seen")
	}
}

func TestFsyncedTwice_NamesTheFile(t *testing.T) {
	if name := fsyncedTwice(traced + "fsync(7</o/a>) = 0\nfsync(7</o/a>) = 0\n"); name != "" {
		t.Errorf("%s was not fsynced twice", name)
	}
	if name := fsyncedTwice(traced + "fsync(9</s/staging/1/.index.html2>) = 0\n"); name != "/s/staging/1/.index.html2" {
		t.Errorf("the second fsync of a file was not seen: %q", name)
	}
}

func TestView_TellsOldFromNewFromWrong(t *testing.T) {
	write := func(files map[string]string) view {
		dir := t.TempDir()
		if err := Write(filepath.Join(dir, "public", "a"), files); err != nil {
			t.Fatal(err)
		}
		return look(dir, "/a")
	}
	old, cut := sweptPage("old"), sweptPage("old")[:4000]
	for name, files := range map[string]map[string]string{
		"cut":   {"index.html": cut},
		"empty": {"index.html": ""},
		"zip":   {"index.html": old, "index.html.gz": "no zip"},
		"odd":   {"index.html": old, ".index.html123": "half"},
	} {
		if write(files).wrong("old", "new") == "" {
			t.Errorf("%s was not seen", name)
		}
	}
	if why := write(map[string]string{"index.html": old}).wrong("old", "new"); why != "" {
		t.Errorf("the old page alone: %s", why)
	}
	if write(map[string]string{"index.html": old}).incomplete("old") == "" {
		t.Error("a page without .gz and .br is complete")
	}
	if why := look(t.TempDir(), "/a").incomplete(""); why != "" {
		t.Errorf("no page: %s", why)
	}
}

func TestPublisher_PublishesAndRemoves(t *testing.T) {
	dir := t.TempDir()
	orders, err := os.CreateTemp(dir, "orders")
	if err != nil {
		t.Fatal(err)
	}
	defer orders.Close()
	if _, err := orders.WriteString("put /a new\nput /b old\nremove /b\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := orders.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	if err := publish(filepath.Join(dir, "public"), filepath.Join(dir, "state"), orders, t.Output()); err != nil {
		t.Fatal(err)
	}
	if why := look(dir, "/a").incomplete("new"); why != "" {
		t.Errorf("/a: %s", why)
	}
	if why := look(dir, "/b").incomplete(""); why != "" {
		t.Errorf("/b: %s", why)
	}
}
