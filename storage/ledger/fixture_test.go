package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
	"rebake/storage/redistest"
)

const site = "blog.example"

// fixture is an empty ledger with helpers that end the test when Redis does
// not answer.
type fixture struct {
	*Ledger
	t    testing.TB
	ctx  context.Context
	rdb  *redis.Client
	born time.Time
}

// patient is how long a test waits for what has to come: much longer than it takes
// on a busy machine.
const patient = 2 * time.Minute

func newFixture(t testing.TB, s *redistest.Server) *fixture {
	t.Helper()
	return openFixture(t, s.Client(), DefaultConfig(site))
}

func openFixture(t testing.TB, rdb *redis.Client, cfg Config) *fixture {
	t.Helper()
	ctx := t.Context()
	if err := rdb.FlushDB(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	l, err := Open(ctx, rdb, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{Ledger: l, t: t, ctx: ctx, rdb: rdb, born: time.Now()}
}

func path(t testing.TB, s string) storage.Path {
	t.Helper()
	p, err := storage.PathRules{}.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// elapseScript moves all that the ledger has dated into the past.
var elapseScript = redis.NewScript(`
local d = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. 'owed:*')) do
  for _, field in ipairs({'exp', 'start', 'due', 'last', 'since', 'next', 'gone', 'lags', 'calm', 'cap'}) do
    local v = redis.call('HGET', key, field)
    if v then redis.call('HSET', key, field, v - d) end
  end
end
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. 'walk:*')) do
  for _, field in ipairs({'exp', 'due', 'last', 'calm', 'cap'}) do
    local v = redis.call('HGET', key, field)
    if v then redis.call('HSET', key, field, v - d) end
  end
end
local announced = redis.call('HGETALL', KEYS[1] .. 'announced')
for i = 1, #announced, 2 do
  local at, version = string.match(announced[i + 1], '^(%d+) (.*)$')
  redis.call('HSET', KEYS[1] .. 'announced', announced[i], at - d .. ' ' .. version)
end
local labels = redis.call('HGETALL', KEYS[1] .. 'label')
for i = 1, #labels, 2 do
  local n, at = string.match(labels[i + 1], '^(%d+) (%d+)$')
  if n then redis.call('HSET', KEYS[1] .. 'label', labels[i], n .. ' ' .. at - d) end
end
for _, set in ipairs({'dirty', 'timers', 'announced:at'}) do
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1] .. set, 0, -1)) do
    redis.call('ZINCRBY', KEYS[1] .. set, -d, member)
  end
end
for _, of in ipairs({'owed:*', 'page:*', 'announced*'}) do
  for _, key in ipairs(redis.call('KEYS', KEYS[1] .. of)) do
    local left = redis.call('PTTL', key)
    if left >= 0 then redis.call('PEXPIRE', key, left - d) end
  end
end
return 1`)

// elapse makes d pass at once, for everything in the ledger.
func (f *fixture) elapse(d time.Duration) {
	f.t.Helper()
	if err := elapseScript.Run(f.ctx, f.rdb, []string{f.key("")}, ms(d)).Err(); err != nil {
		f.t.Fatal(err)
	}
}

// endLease makes the lease of one page's run end, as if its worker hung.
func (f *fixture) endLease(p storage.Path) {
	f.t.Helper()
	_, err := f.rdb.Pipelined(f.ctx, func(pipe redis.Pipeliner) error {
		pipe.HSet(f.ctx, f.key("owed:"+p.String()), "exp", 1)
		pipe.ZAdd(f.ctx, f.key("dirty"), redis.Z{Score: 1, Member: p.String()})
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) mustTrigger(p storage.Path, prio Priority) Receipt {
	f.t.Helper()
	return f.mustRequest(p, Request{Priority: prio})
}

func (f *fixture) mustRequest(p storage.Path, req Request) Receipt {
	f.t.Helper()
	r, err := f.Trigger(f.ctx, p, req)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// mustToken triggers a page that has no token yet.
func (f *fixture) mustToken(p storage.Path, prio Priority) Token {
	f.t.Helper()
	r := f.mustTrigger(p, prio)
	if r.Token == nil {
		f.t.Fatalf("trigger of %s gave no token", p)
	}
	return *r.Token
}

func (f *fixture) mustClaim(tok Token) *Run {
	f.t.Helper()
	run := f.wake(tok)
	if run.State != Claimed {
		f.t.Fatalf("claim of %s = %s (wait %v), want claimed", tok.Path, run.State, run.Wait)
	}
	return run
}

func (f *fixture) mustClaimAlone(tok Token) *Run {
	f.t.Helper()
	run, err := f.ClaimAlone(f.ctx, tok)
	if err != nil || run.State != Claimed {
		f.t.Fatalf("claim of %s alone = %+v, %v, want claimed", tok.Path, run, err)
	}
	return run
}

// wake claims a token, whatever comes of it.
func (f *fixture) wake(tok Token) *Run {
	f.t.Helper()
	run, err := f.Claim(f.ctx, tok)
	if err != nil {
		f.t.Fatal(err)
	}
	return run
}

// mustRun triggers and claims a page.
func (f *fixture) mustRun(p storage.Path) *Run {
	f.t.Helper()
	return f.mustClaim(f.mustToken(p, Default))
}

func (f *fixture) mustFinish(run *Run, outcome Outcome, body string) End {
	f.t.Helper()
	return f.mustFinishTagged(run, outcome, body, "post:1")
}

func (f *fixture) mustFinishTagged(run *Run, outcome Outcome, body string, tags ...string) End {
	f.t.Helper()
	page := storage.Page{Path: run.Path, Type: "text/html", Body: []byte(body), Route: "/…", Tags: tags}
	end, err := run.Finish(f.ctx, outcome, page, time.Unix(1_700_000_000, 0))
	if err != nil {
		f.t.Fatal(err)
	}
	return end
}

// mustPublish takes a page from a trigger to its publication.
func (f *fixture) mustPublish(p storage.Path, body string) {
	f.t.Helper()
	if end := f.mustFinish(f.mustRun(p), Published, body); end != (End{}) {
		f.t.Fatalf("finish of %s = %+v, want done", p, end)
	}
}

func (f *fixture) mustFail(run *Run, outcome Outcome, delay time.Duration) End {
	f.t.Helper()
	end, err := run.Fail(f.ctx, outcome, delay, "no answer")
	if err != nil {
		f.t.Fatal(err)
	}
	return end
}

func (f *fixture) mustGone(run *Run) (bool, End) {
	f.t.Helper()
	confirmed, end, err := run.Gone(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return confirmed, end
}

func (f *fixture) mustState(p storage.Path) State {
	f.t.Helper()
	s, err := f.State(f.ctx, p)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fixture) mustSuspects(limit int) ([]Suspect, time.Duration) {
	f.t.Helper()
	list, next, err := f.Suspects(f.ctx, limit)
	if err != nil {
		f.t.Fatal(err)
	}
	return list, next
}

// mustSuspect returns the only suspect.
func (f *fixture) mustSuspect() Suspect {
	f.t.Helper()
	list, _ := f.mustSuspects(10)
	if len(list) != 1 {
		f.t.Fatalf("suspects = %+v, want one", list)
	}
	return list[0]
}

func (f *fixture) mustSweep(s Suspect, taskThere bool) *Token {
	f.t.Helper()
	swept, err := f.Sweep(f.ctx, s, taskThere)
	if err != nil {
		f.t.Fatal(err)
	}
	return swept.Token
}

// events returns how many events there were.
func (f *fixture) events() int64 {
	f.t.Helper()
	n, err := f.rdb.XLen(f.ctx, f.key("events")).Result()
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// since returns how long a page has been owed a run.
func (f *fixture) since(p storage.Path) time.Duration {
	f.t.Helper()
	now, err := f.rdb.Time(f.ctx).Result()
	if err != nil {
		f.t.Fatal(err)
	}
	owed := f.mustState(p).Owed
	if owed == nil {
		f.t.Fatalf("%s is owed nothing", p)
	}
	return now.Sub(owed.Since)
}

// wantWait wants a wait that began at some time in the test. What it is shorter by
// has passed since.
func (f *fixture) wantWait(what string, got, want time.Duration) {
	f.t.Helper()
	const rounded = 2 * time.Millisecond // the ledger counts them
	if passed := time.Since(f.born); got > want || got < want-passed-rounded {
		f.t.Errorf("%s = %v, want %v or at most %v less", what, got, want, passed)
	}
}

// mustUnknown writes a due entry, as another version of rebake would, that was
// looked at so often.
func (f *fixture) mustUnknown(key, member string, looks int) {
	f.t.Helper()
	at := float64(time.Now().Add(-time.Second).UnixMilli()) + float64(looks)*unknownLook
	if err := f.rdb.ZAdd(f.ctx, f.key(key), redis.Z{Score: at, Member: member}).Err(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) wantPostponed(key, member string) {
	f.t.Helper()
	score, err := f.rdb.ZScore(f.ctx, f.key(key), member).Result()
	if err != nil {
		f.t.Fatalf("%s: %v", member, err)
	}
	f.wantWait(member, time.Until(time.UnixMilli(int64(score))), unknownRest)
}

func (f *fixture) wantStruckOff(key string) {
	f.t.Helper()
	if n := f.rdb.ZCard(f.ctx, f.key(key)).Val(); n != 0 {
		f.t.Errorf("%d entries are left in %s", n, key)
	}
}
