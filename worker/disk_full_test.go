package worker

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"rebake/storage/ledger"
	"rebake/storage/redistest"
)

// H88: Redis ends when its disk is full. Triggers go to another disk meanwhile.
func TestAccept_H88DiskOfRedisIsFull(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("a small disk needs root to be mounted")
		}
		t.Skip("a small disk needs root to be mounted")
	}
	disk, err := os.MkdirTemp("", "rb")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
		_ = os.Remove(disk)
	})
	temporary := os.TempDir()
	t.Setenv("TMPDIR", disk)
	server := redistest.Start(t)
	t.Setenv("TMPDIR", temporary)

	s := &website{fakeRenderer: newFakeRenderer(), t: t, redis: server, rdb: server.Client(), dir: t.TempDir()}
	p := s.spooling()
	p.run()
	p.publish("/a", "old")
	s.set("/a", "new")
	var a Accepted
	for range 2000 {
		a, err = p.Accept(t.Context(), Trigger{Paths: onePath("/a"), Priority: ledger.Critical, Reason: strings.Repeat("x", 5000)})
		if err != nil {
			t.Fatal(err)
		}
		if a.Spooled != nil {
			break
		}
	}
	if a.Spooled == nil {
		t.Fatal("the disk is never full")
	}
	<-server.Over() // the fault: it has ended
	s.set("/a", "newest")
	p.mustSpool("/a")
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatalf("remount: %v", err)
	}
	server.Restart()
	s.awaitServed("/a", "newest")
}
