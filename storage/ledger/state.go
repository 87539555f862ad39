package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// Freshness is the one word that says how a page is.
type Freshness string

// The words of product.md.
const (
	PageUnknown  Freshness = "unknown"  // never published, and nobody asked for it
	PageFresh    Freshness = "fresh"    // no accepted trigger is unmet
	PageStale    Freshness = "stale"    // one is
	PageRetrying Freshness = "retrying" // one is, the last try failed, and more will follow
	PageFailed   Freshness = "failed"   // one is, and nobody tries any more
	PageGone     Freshness = "gone"     // removed, and no trigger is unmet
)

// State is everything that the ledger knows of one path.
type State struct {
	Path      storage.Path
	Freshness Freshness
	// Page is the last publication; nil when there was none.
	Page *PageState
	// Owed is what the page waits for; nil when it is fresh.
	Owed *OwedState
	// Label is one that makes the page stale, when nothing else does.
	Label Label
}

// PageState is the last publication, or removal, of a page.
type PageState struct {
	G0      uint64    `json:"g0,omitzero"` // newest trigger that it is known to meet
	Gone    bool      `json:"gone,omitzero"`
	Hash    string    `json:"hash,omitzero"`
	Size    int64     `json:"size,omitzero"`
	Type    string    `json:"type,omitzero"`
	Tags    []string  `json:"tags,omitzero"`
	Version string    `json:"version,omitzero"`
	Route   string    `json:"route,omitzero"`
	Reason  string    `json:"reason,omitzero"`  // of the trigger that led to it
	At      time.Time `json:"at,omitzero"`      // of the last finished run
	Changed time.Time `json:"changed,omitzero"` // of the last run that published other bytes, or removed it
	MTime   time.Time `json:"mtime,omitzero"`   // of the files
	Lagging string    `json:"lagging,omitzero"` // see storage.Page
}

// OwedState is an unmet trigger.
type OwedState struct {
	Status   string    `json:"status,omitzero"` // queued, running, waiting, failed
	Newest   uint64    `json:"newest,omitzero"` // newest trigger
	Priority Priority  `json:"priority"`
	Reason   string    `json:"reason,omitzero"` // of the newest trigger
	Since    time.Time `json:"since,omitzero"`
	Due      time.Time `json:"due,omitzero"`       // of the next try
	Settling time.Time `json:"settling,omitzero"`  // until when the page is left alone, see Request.Settle
	Attempts int       `json:"attempts,omitzero"`  // failed tries
	LastTry  time.Time `json:"last_try,omitzero"`  // zero when none has failed
	Error    string    `json:"error,omitzero"`     // of the last failed try
	FailedG0 uint64    `json:"failed_g0,omitzero"` // newest trigger that the last failed try had seen
	Removing bool      `json:"removing,omitzero"`  // a run that takes the page away has it, see Seize
}

// State reads one page.
func (l *Ledger) State(ctx context.Context, p storage.Path) (State, error) {
	var page, owed *redis.MapStringStringCmd
	_, err := l.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		page = pipe.HGetAll(ctx, l.key("page:"+p.String()))
		owed = pipe.HGetAll(ctx, l.key("owed:"+p.String()))
		return nil
	})
	if err != nil {
		return State{}, storage.Temporary(fmt.Errorf("read page state: %w", err))
	}
	s := newState(p, page.Val(), owed.Val())
	err = l.addLabels(ctx, &s)
	return s, err
}

// addLabels finds out whether a label of the page was triggered and its walk
// has not come to the page yet: it is stale then, though nothing is owed by
// itself.
func (l *Ledger) addLabels(ctx context.Context, s *State) error {
	if s.Page == nil || s.Owed != nil {
		return nil
	}
	labels := labelsOf(s.Path.String(), s.Page.Route, s.Page.Tags)
	numbers, err := l.rdb.HMGet(ctx, l.key("label"), labels...).Result()
	if err != nil {
		return storage.Temporary(fmt.Errorf("read page state: %w", err))
	}
	for i, v := range numbers {
		text, _ := v.(string)
		number, _, _ := strings.Cut(text, " ")
		if n, _ := strconv.ParseUint(number, 10, 64); n > s.Page.G0 {
			s.Freshness, s.Label = PageStale, Label(labels[i])
		}
	}
	return nil
}

func newState(p storage.Path, page, owed fields) State {
	s := State{Path: p, Freshness: PageUnknown}
	if len(page) > 0 {
		s.Page = &PageState{
			G0: uint64(page.number("g0")), Gone: page["gone"] == "1", Hash: page["hash"], Size: page.number("size"),
			Type: page["type"], Version: page["version"], Route: page["route"], Reason: page["why"],
			At: page.time("at"), Changed: page.time("changed"), MTime: page.time("mtime"), Lagging: page["lag"],
		}
		_ = json.Unmarshal([]byte(page["tags"]), &s.Page.Tags) // written by marshalTags, absent after a removal
		s.Freshness = PageFresh
		if s.Page.Gone {
			s.Freshness = PageGone
		}
	}
	if len(owed) > 0 {
		s.Owed = &OwedState{
			Status: owed["st"], Newest: uint64(owed.number("gen")), Priority: Priority(owed.number("prio")), Reason: owed["why"],
			Since: owed.time("since"), Due: owed.time("due"), Attempts: int(owed.number("att")), LastTry: owed.time("last"),
			Error: owed["err"], FailedG0: uint64(owed.number("fg0")),
			Removing: owed["st"] == "running" && strings.HasSuffix(owed["by"], "-seize"), // see seize.lua
		}
		if s.Owed.Status == "queued" && owed["set"] == "1" {
			s.Owed.Settling = s.Owed.Due
		}
		switch {
		case owed["st"] == "failed":
			s.Freshness = PageFailed
		case s.Owed.Attempts > 0, owed["st"] == "waiting" && s.Owed.Error != "": // which may be why there was no attempt
			s.Freshness = PageRetrying
		default:
			s.Freshness = PageStale
		}
	}
	return s
}

// fields are those of a Redis hash.
type fields map[string]string

func (f fields) number(name string) int64 {
	n, _ := strconv.ParseInt(f[name], 10, 64)
	return n
}

func (f fields) time(name string) time.Time {
	if n := f.number(name); n > 0 {
		return time.UnixMilli(n)
	}
	return time.Time{}
}

// Counts says how much is owed.
type Counts struct {
	Owed   int64 // pages that wait or run
	Failed int64 // pages that nobody tries any more
	Timers int64
	// Lagging is how many pages show an older version than their CMS has told of.
	Lagging int64
}

// Counts reads the sizes of the ledger's sets.
func (l *Ledger) Counts(ctx context.Context) (Counts, error) {
	var dirty, labels, failed, timers, lagging *redis.IntCmd
	_, err := l.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		dirty, failed, timers = pipe.ZCard(ctx, l.key("dirty")), pipe.ZCard(ctx, l.key("failed")), pipe.ZCard(ctx, l.key("timers"))
		lagging = pipe.ZCard(ctx, l.key("lagging"))
		labels = pipe.HLen(ctx, l.key("label")) // each is in `dirty` until it is forgotten
		return nil
	})
	if err != nil {
		return Counts{}, storage.Temporary(fmt.Errorf("read counts: %w", err))
	}
	return Counts{dirty.Val() - labels.Val(), failed.Val(), timers.Val(), lagging.Val()}, nil
}

// EachFailed calls f for every page that nobody tries any more, the one that
// failed first before the others, until it returns an error.
func (l *Ledger) EachFailed(ctx context.Context, f func(State) error) error {
	return l.eachIn(ctx, "failed", func(s State) error {
		if s.Freshness != PageFailed {
			return nil // triggered meanwhile
		}
		return f(s)
	})
}

// EachLagging calls f for every page that shows an older version than its CMS
// has told of, the one that has done so longest before the others, until it
// returns an error.
func (l *Ledger) EachLagging(ctx context.Context, f func(State) error) error {
	return l.eachIn(ctx, "lagging", func(s State) error {
		if s.Page == nil || s.Page.Lagging == "" {
			return nil // published meanwhile
		}
		return f(s)
	})
}

// eachIn calls f for the pages of a set, in its order.
func (l *Ledger) eachIn(ctx context.Context, set string, f func(State) error) error {
	names, err := l.rdb.ZRange(ctx, l.key(set), 0, -1).Result()
	if err != nil {
		return storage.Temporary(fmt.Errorf("read %s pages: %w", set, err))
	}
	for _, name := range names {
		p, err := parsePath(name)
		if err != nil {
			continue // nothing of ours
		}
		s, err := l.State(ctx, p)
		if err != nil {
			return err
		}
		if err := f(s); err != nil {
			return err
		}
	}
	return nil
}
