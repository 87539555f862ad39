package worker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/spool"
)

// redisFault is a way in which Redis takes no triggers. Mending it is the
// return of its function.
type redisFault struct {
	name, reason string
	begin        func(t *testing.T, s *website) (mend func())
}

// redisFaults are rows H81 and H85 of the matrix, with a real server.
var redisFaults = []redisFault{
	{"H81 down", "redis does not answer", func(_ *testing.T, s *website) func() {
		s.redis.Kill()
		return func() { s.redis.Restart() }
	}},
	{"H81 hanging", "redis does not answer", func(_ *testing.T, s *website) func() {
		s.redis.Pause()
		return s.redis.Resume
	}},
	{"H81 LOADING", "redis is loading its data", func(t *testing.T, s *website) func() {
		do(t, s.rdb, "eval", "for i = 1, 100000 do redis.call('set', 'some:' .. i, i) end", 0)
		s.redis.Launch("--key-load-delay", "100") // us for each command: as of a very large file
		s.await("redis is loading", func() bool {
			err := s.rdb.Get(t.Context(), "x").Err()
			return err != nil && strings.Contains(err.Error(), "LOADING")
		})
		return func() { s.redis.Kill(); s.redis.Restart() }
	}},
	{"H81 wrong password", "redis refuses the password", func(t *testing.T, s *website) func() {
		admin := s.admin()
		do(t, admin, "config", "set", "requirepass", "another")
		do(t, admin, "client", "kill", "type", "normal", "skipme", "yes")
		return func() { do(t, admin, "config", "set", "requirepass", "") }
	}},
	{"H85 READONLY", "redis is a read-only replica", func(t *testing.T, s *website) func() {
		admin := s.admin()
		do(t, admin, "replicaof", "127.0.0.1", "1")
		return func() { do(t, admin, "replicaof", "no", "one") }
	}},
	{"H85 MISCONF", "redis cannot write to its disk", func(t *testing.T, s *website) func() {
		inTheWay := filepath.Join(s.redis.Dir(), "dump.rdb")
		if err := os.Mkdir(inTheWay, 0o700); err != nil {
			t.Fatal(err)
		}
		admin := s.admin()
		do(t, admin, "config", "set", "save", "3600 1")
		do(t, admin, "bgsave")
		s.await("the save has failed", func() bool {
			return strings.Contains(do(t, admin, "info", "persistence").(string), "rdb_last_bgsave_status:err")
		})
		return func() { do(t, admin, "config", "set", "save", "") }
	}},
	{"H85 BUSY", "redis is busy with a script", func(t *testing.T, s *website) func() {
		admin := s.admin()
		do(t, admin, "config", "set", "busy-reply-threshold", "10")
		ended := make(chan struct{})
		looping := s.admin()
		go func() {
			defer close(ended)
			_ = looping.Eval(t.Context(), "while true do end", nil).Err() // until it is killed
		}()
		s.await("redis is busy", func() bool {
			err := admin.Get(t.Context(), "x").Err()
			return err != nil && strings.Contains(err.Error(), "BUSY")
		})
		return func() { do(t, admin, "script", "kill"); <-ended }
	}},
	{"H84 beyond maxmemory", "redis is full", func(t *testing.T, s *website) func() {
		admin := s.admin()
		do(t, admin, "config", "set", "maxmemory", "1")
		return func() { do(t, admin, "config", "set", "maxmemory", "0") }
	}},
}

func TestAccept_RedisTakesNoTriggers(t *testing.T) {
	for _, fault := range redisFaults {
		t.Run(fault.name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.spooling()
			p.run()
			p.publish("/a", "old")
			p.publish("/b", "old")
			s.set("/a", "new")
			s.set("/b", "new")
			mend := fault.begin(t, s)
			p.mustSpool("/a")
			s.await("the reason is told: "+fault.reason, func() bool { return p.Intake().Reason == fault.reason })
			if got := p.mustSpool("/b").Why; got != fault.reason {
				t.Errorf("it is spooled because %q, want %q", got, fault.reason)
			}
			if got := p.Intake(); got.Reason == "" || got.Cause == nil || got.Spooled.Records != 2 {
				t.Errorf("the intake is %+v, want a reason and 2 spooled", got)
			}
			mend()
			s.awaitServed("/a", "new")
			s.awaitServed("/b", "new")
			s.await("the spool is empty, and triggers go to redis", func() bool {
				n := p.Intake()
				return n.Reason == "" && n.Spooled == spool.Size{}
			})
		})
	}
}

// away makes a process with a spool whose Redis hangs. What is known of Redis
// changes by what Accept finds alone: nobody attends.
func (s *website) away() *process {
	s.t.Helper()
	p := s.process()
	p.openSpool(1 << 20)
	s.await("Redis is admitted", func() bool { return p.Admit(s.t.Context()) == nil && p.intake.closed() == nil })
	s.redis.Pause()
	s.t.Cleanup(s.redis.Resume)
	return p
}

// H81: senders wait for two seconds, so Accept waits for less.
func TestAccept_H81WaitsForARedisThatHangsForAShortTime(t *testing.T) {
	s := newWebsite(t)
	p := s.away()
	p.mustSpool("/a")
	if got := p.Intake().Cause; !strings.Contains(fmt.Sprint(got), errTooSlow.Error()) {
		t.Errorf("redis was given up because of %v, want %v", got, errTooSlow)
	}
	if attemptTime > time.Second {
		t.Errorf("Accept waits for %v, and senders for 2 s", attemptTime)
	}
}

// H81: while Redis is known to be away nobody waits for it.
func TestAccept_H81DoesNotAskARedisThatIsAway(t *testing.T) {
	s := newWebsite(t)
	p := s.away()
	p.mustSpool("/a")
	var asked atomic.Int64
	p.rdb.AddHook(refusing(func(string) error { asked.Add(1); return nil }))
	for range 20 {
		p.mustSpool("/a")
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("Redis was asked %d times for 20 triggers", n)
	}
}

func TestAccept_SpoolThatIsFullIsToldToTheSender(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	p.openSpool(200)
	s.redis.Kill()
	p.mustSpool("/a")
	_, err := p.Accept(t.Context(), Trigger{Paths: onePath("/a")})
	var not *NotSpooledError
	if !errors.As(err, &not) || !errors.Is(err, spool.ErrFull) || not.Redis == nil {
		t.Errorf("accept = %v, want that redis is away and the spool is full", err)
	}
}

func TestAccept_OnlyTheRestOfATriggerIsSpooled(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	p.openSpool(1 << 20)
	var fired atomic.Bool
	p.rdb.AddHook(refusing(func(text string) error {
		if strings.Contains(text, "owed:/b ") {
			fired.Store(true)
			return errors.New("READONLY You can't write against a read only replica")
		}
		return nil
	}))
	var a Accepted
	s.await("the fault has fired", func() bool { // a slow machine may find no time to ask Redis
		if err := p.Admit(t.Context()); err != nil {
			return false
		}
		var err error
		a, err = p.Accept(t.Context(), Trigger{Paths: append(onePath("/a"), onePath("/b")...), Labels: []ledger.Label{ledger.Tag("x")}})
		if err != nil || a.Spooled == nil {
			t.Fatalf("accept = %+v, %v, want a part of it spooled", a, err)
		}
		return fired.Load()
	})
	taken := map[string]bool{}
	for _, page := range a.Pages {
		taken[page.Path.String()] = true
	}
	for _, path := range a.Spooled.Paths {
		if taken[path.String()] {
			t.Errorf("%s is in the ledger and in the spool", path)
		}
		taken[path.String()] = true
	}
	if !taken["/a"] || !taken["/b"] || len(a.Labels)+len(a.Spooled.Labels) != 1 {
		t.Errorf("accept = %+v, spooled %+v: a part is missing", a, a.Spooled)
	}
}

// H87: Redis refuses to start on a file that is damaged in its middle, until
// somebody has mended it.
func TestAccept_H87AppendOnlyFileDamagedInTheMiddle(t *testing.T) {
	tool, err := exec.LookPath("redis-check-aof")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-check-aof is not installed: apt-get install redis-tools")
		}
		t.Skip("redis-check-aof is not installed")
	}
	s := newWebsite(t)
	p := s.spooling()
	p.run()
	for _, path := range []string{"/a", "/b", "/c"} {
		p.publish(path, "old")
	}
	s.redis.Kill()
	aof := s.appendOnlyFile()
	b, err := os.ReadFile(aof)
	if err != nil {
		t.Fatal(err)
	}
	middle := len(b) / 2
	b[middle+bytes.Index(b[middle:], []byte("\r\n*"))+2] = '!' // where a command begins
	if err := os.WriteFile(aof, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s.redis.Launch()
	s.await("redis has refused to start", func() bool {
		select {
		case <-s.redis.Over():
			return true
		default:
			return false
		}
	})
	s.set("/new", "text")
	p.mustSpool("/new")
	mend := exec.Command(tool, "--fix", aof)
	mend.Stdin = strings.NewReader("y\n")
	if out, err := mend.CombinedOutput(); err != nil {
		t.Fatalf("redis-check-aof: %v\n%s", err, out)
	}
	s.redis.Restart()
	s.awaitServed("/new", "text")
	s.wantServed("/a", "old") // no page goes because Redis has forgotten it
}

// H86: a file whose tail is torn is loaded, without its last command.
func TestAccept_H86AppendOnlyFileCutAtItsEnd(t *testing.T) {
	s := newWebsite(t)
	p := s.process() // without a spool all of them go to Redis
	var paths []string
	for _, c := range "abcdefghij" {
		paths = append(paths, "/"+string(c))
		p.trigger(ledger.Critical, paths[len(paths)-1])
	}
	s.redis.Kill()
	aof := s.appendOnlyFile()
	info, err := os.Stat(aof)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(aof, info.Size()-37); err != nil {
		t.Fatal(err)
	}
	s.redis.Restart()
	owed := 0
	for _, path := range paths {
		if p.state(path).Owed != nil {
			owed++
		}
	}
	if owed < len(paths)-1 {
		t.Errorf("%d of %d triggers are left, and one command was cut", owed, len(paths))
	}
	p.run()
	for _, path := range paths[:owed] {
		p.await(path, ledger.PageFresh)
	}
}

// appendOnlyFile is the part of it that Redis appends to.
func (s *website) appendOnlyFile() string {
	s.t.Helper()
	names, err := filepath.Glob(filepath.Join(s.redis.Dir(), "appendonlydir", "*.incr.aof"))
	if err != nil || len(names) != 1 {
		s.t.Fatalf("append-only files: %v, %v", names, err)
	}
	return names[0]
}

// H89: what Redis has forgotten stays as it is for readers.
func TestAccept_H89RedisForgetsEverything(t *testing.T) {
	s := newWebsite(t)
	p := s.spooling()
	p.run()
	p.publish("/a", "old")
	do(t, s.rdb, "flushall")
	s.await("redis is this site's again", func() bool { return s.rdb.Get(t.Context(), "rebake:site").Val() == host })
	s.set("/b", "new page")
	p.trigger(ledger.Critical, "/b")
	s.awaitServed("/b", "new page")
	s.set("/a", "new")
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageFailed) // nobody knows whose file that is
	s.wantServed("/a", "old")
	if _, err := p.Adopt(t.Context(), storage.PathRules{}); err != nil {
		t.Fatal(err)
	}
	p.trigger(ledger.Critical, "/a")
	s.awaitServed("/a", "new")
}
