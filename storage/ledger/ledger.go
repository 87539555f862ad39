package ledger

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// schema is the layout of the keys. A ledger with a higher one is refused.
const schema = 1

// Config says whose ledger it is, and how patient.
type Config struct {
	// Site is the host of the site; it names the keys.
	Site string
	// Lease is how long a run keeps its page without a sign of life. Whoever
	// runs has to renew several times within it.
	Lease time.Duration
	// MaxRun is the longest run, whatever signs of life it gives.
	MaxRun time.Duration
	// CrowdDeaths is how many runs of one page may die without an answer before
	// the next ones have to be alone in their process: what killed them takes
	// nobody else with it then, and who only was beside it is cleared.
	CrowdDeaths int
	// MaxDeaths is how many, alone or not, before the page is taken for what
	// killed them.
	MaxDeaths int
}

// DefaultConfig has the times that the tests and the README speak of.
func DefaultConfig(site string) Config {
	return Config{Site: site, Lease: 5 * time.Second, MaxRun: time.Minute, CrowdDeaths: 3, MaxDeaths: 5}
}

// tombstone is how long a removed page is remembered.
const tombstone = 30 * 24 * time.Hour

// confirmGone is the time between two readings of "gone".
const confirmGone = 2 * time.Second

// Ledger is safe for concurrent use by any number of processes.
type Ledger struct {
	cfg     Config
	rdb     redis.UniversalClient
	batches *batches
	scripts scripts
	process string
	nonces  atomic.Uint64
}

// Renewal is how often a run has to call Renew to keep its page.
func (l *Ledger) Renewal() time.Duration { return l.cfg.Lease / 5 }

// key names a key of the site. One hash tag puts them all into one slot.
func (l *Ledger) key(name string) string { return "rebake:{" + l.cfg.Site + "}:" + name }

// nonce names one request, or one run, for ever.
func (l *Ledger) nonce() string {
	return l.process + strconv.FormatUint(l.nonces.Add(1), 36)
}

//go:embed lua/*.lua
var lua embed.FS

// scripts are the ledger's steps; the first group is about one page, the
// second about one label, the third about the site.
type scripts struct {
	trigger, miss, adopt, timer, claim, take, seize, renew, finish, fail, gone, release, sweep, bury *redis.Script
	label, walkClaim, walkStep, walkEnd, walkRelease, walkSweep, walkBury, walkLater, forget         *redis.Script
	announce, park, unpark                                                                           *redis.Script
}

func loadScripts() (scripts, error) {
	var s scripts
	pages := map[string]**redis.Script{
		"trigger": &s.trigger, "miss": &s.miss, "adopt": &s.adopt, "timer": &s.timer, "claim": &s.claim, "take": &s.take, "seize": &s.seize, "renew": &s.renew,
		"finish": &s.finish, "fail": &s.fail, "gone": &s.gone, "release": &s.release, "sweep": &s.sweep, "bury": &s.bury,
	}
	walks := map[string]**redis.Script{
		"label": &s.label, "walk_claim": &s.walkClaim, "walk_step": &s.walkStep, "walk_end": &s.walkEnd, "walk_later": &s.walkLater,
		"walk_release": &s.walkRelease, "walk_sweep": &s.walkSweep, "walk_bury": &s.walkBury, "forget": &s.forget,
	}
	err := errors.Join(
		load([]string{"base", "page"}, pages), load([]string{"base", "walk"}, walks),
		load([]string{"base"}, map[string]**redis.Script{"announce": &s.announce, "park": &s.park, "unpark": &s.unpark}),
	)
	return s, err
}

// load makes each script of what all of its kind begin with, and its own.
func load(kind []string, all map[string]**redis.Script) error {
	for name, script := range all {
		var text []byte
		for _, part := range append(slices.Clone(kind), name) {
			b, err := lua.ReadFile("lua/" + part + ".lua")
			if err != nil {
				return fmt.Errorf("load scripts: %w", err)
			}
			text = append(text, b...)
		}
		*script = redis.NewScript(string(text))
	}
	return nil
}

// run runs a script over one page.
func (l *Ledger) run(ctx context.Context, s *redis.Script, p storage.Path, args ...any) (reply, error) {
	return l.eval(ctx, s, []string{
		l.key("seq"), l.key("page:" + p.String()), l.key("owed:" + p.String()),
		l.key("dirty"), l.key("failed"), l.key("timers"), l.key("events"), l.key("label"),
	}, append([]any{p.String()}, args...))
}

// runSite runs a script about the whole site.
func (l *Ledger) runSite(ctx context.Context, s *redis.Script, args ...any) (reply, error) {
	return l.eval(ctx, s, []string{l.key("seq")}, args)
}

// eval runs a script. Errors of Redis are temporary: its state is what it was,
// or the step is done, and the same request may be sent again.
func (l *Ledger) eval(ctx context.Context, s *redis.Script, keys []string, args []any) (reply, error) {
	v, err := l.batches.run(ctx, s, keys, args)
	if err != nil {
		return nil, storage.Temporary(fmt.Errorf("ledger: %w", err))
	}
	return reply(v), nil
}

// parsePath reads back a path that was parsed before it came into the ledger,
// by the rules of a site that may allow paths below /.well-known/.
func parsePath(s string) (storage.Path, error) {
	return storage.PathRules{WellKnown: []string{"/.well-known"}}.Parse(s)
}

// reply is what a script answers: a word, then numbers and texts.
type reply []any

func (r reply) text(i int) string {
	if i >= len(r) || r[i] == nil {
		return ""
	}
	return fmt.Sprint(r[i])
}

func (r reply) number(i int) int64 {
	n, _ := strconv.ParseInt(r.text(i), 10, 64)
	return n
}

func (r reply) duration(i int) time.Duration { return time.Duration(r.number(i)) * time.Millisecond }

// token reads the five values that a new token is answered with.
func (r reply) token(p storage.Path) *Token {
	return &Token{Path: p, ID: r.text(2), Priority: Priority(r.number(3)), Wait: r.duration(4)}
}

func ms(d time.Duration) int64 { return d.Milliseconds() }

func marshalTags(tags []string) string {
	b, _ := json.Marshal(tags) // a list of strings cannot fail
	return string(b)
}

// marshalShown is "" for nothing.
func marshalShown(shown map[string]string) string {
	if len(shown) == 0 {
		return ""
	}
	b, _ := json.Marshal(shown) // texts cannot fail
	return string(b)
}

func unmarshalShown(s string) map[string]string {
	var shown map[string]string
	_ = json.Unmarshal([]byte(s), &shown) // what cannot be read is as if nobody had noted it
	return shown
}

// errUnknownReply is a bug, or a ledger that another program writes.
func errUnknownReply(r reply) error {
	return errors.New("ledger: unknown reply " + strconv.Quote(r.text(0)))
}
