package ledger

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"rebake/storage"
)

// ClaimState says what became of a wake-up.
type ClaimState string

// The answers to a claim. Only Claimed lets the caller go on.
const (
	Claimed ClaimState = "claimed"
	Stale   ClaimState = "stale" // another token is the valid one, or the page is owed nothing
	Busy    ClaimState = "busy"  // a live run has this token already
	Early   ClaimState = "early" // not due yet
	Alone   ClaimState = "alone" // see ClaimAlone
)

// Run is one run of one page, from its claim to its end. Its methods may be
// called from several goroutines.
type Run struct {
	State ClaimState
	Path  storage.Path
	// Token is the one that was claimed; after a Fail that may be tried again
	// it can be claimed once more.
	Token string
	// G0 is the number of the newest trigger when the run was claimed. What is
	// read upstream from now on is at least as new.
	G0 uint64
	// Deaths is how many runs in a row ended without a word before this one.
	Deaths int
	// Attempts is how many tries failed since the page was last fresh.
	Attempts int
	// Previous is the last publication.
	Previous storage.Published
	// Kept says that the page is to stay removed, see Ledger.Keep.
	Kept bool
	// Finished says that Finish has told the ledger: every trigger up to G0 is
	// met.
	Finished bool
	// Wait is how long an early wake-up has to wait.
	Wait time.Duration
	// Announced says that versions of items are announced, see
	// Ledger.Announced. What is announced after the claim is not of interest to
	// this run.
	Announced bool
	// Waited is how long ago the first of the last runs has ended that were all
	// Lagging; 0 when the last one was not.
	Waited time.Duration
	// Fresh is when the last run has ended, by Redis' clock, if the page showed
	// all then that was announced; zero when it showed less, or there was none.
	Fresh time.Time
	// Shown is that of the last publication, see storage.Page.
	Shown map[string]string

	ledger *Ledger
	owner  string
}

// Claim turns a token into a run, if it is the valid one. The page is the
// caller's until the lease ends; Renew extends it.
func (l *Ledger) Claim(ctx context.Context, tok Token) (*Run, error) {
	return l.claim(ctx, tok, l.nonce(), l.cfg.CrowdDeaths)
}

// ClaimAlone is Claim for a process that runs nothing else until the run has
// ended. So many runs of the page have died without an answer that Claim says
// Alone.
func (l *Ledger) ClaimAlone(ctx context.Context, tok Token) (*Run, error) {
	return l.claim(ctx, tok, l.nonce(), 0)
}

func (l *Ledger) claim(ctx context.Context, tok Token, owner string, crowd int) (*Run, error) {
	r, err := l.run(ctx, l.scripts.claim, tok.Path, tok.ID, owner, ms(l.cfg.Lease), crowd)
	if err != nil {
		return nil, err
	}
	return l.newRun(r, tok.Path, tok.ID, owner)
}

func (l *Ledger) newRun(r reply, p storage.Path, token, owner string) (*Run, error) {
	run := &Run{State: ClaimState(r.text(0)), Path: p, Token: token, ledger: l, owner: owner}
	switch run.State {
	case Stale, Busy, Alone, Met, Backing:
	case Early:
		run.Wait = r.duration(1)
	case Claimed:
		run.G0 = uint64(r.number(1))
		run.Deaths, run.Attempts = int(r.number(2)), int(r.number(3))
		run.Previous = storage.Published{Hash: r.text(4), Gone: r.number(6) == 1, Type: r.text(7), Size: r.number(9)}
		run.Kept = r.number(8) == 1
		run.Announced, run.Waited = r.number(10) == 1, r.duration(11)
		if at := r.number(12); at > 0 {
			run.Fresh = time.UnixMilli(at)
		}
		run.Shown = unmarshalShown(r.text(13))
		if at := r.number(5); at > 0 {
			run.Previous.MTime = time.UnixMilli(at)
		}
	default:
		return nil, errUnknownReply(r)
	}
	return run, nil
}

// Renew gives a sign of life. storage.ErrLost says that the page is not the
// run's any more, or that the run has taken too long.
func (r *Run) Renew(ctx context.Context) error { return r.renew(ctx, "") }

// Fence asks, within the page's lock, whether the run may change the page's
// files now. It has the form that storage/output asks for.
func (r *Run) Fence(ctx context.Context, exists bool) error {
	if exists {
		return r.renew(ctx, "1")
	}
	return r.renew(ctx, "0")
}

func (r *Run) renew(ctx context.Context, file string) error {
	l := r.ledger
	rep, err := l.run(ctx, l.scripts.renew, r.Path, r.owner, ms(l.cfg.Lease), ms(l.cfg.MaxRun), file)
	if err != nil {
		return err
	}
	switch rep.text(0) {
	case "ok":
		return nil
	case "lost":
		return fmt.Errorf("run of %s: %w", r.Path, storage.ErrLost)
	case "foreign":
		return fmt.Errorf("publish %s: %w; move %s away, or take everything in the output over with `rebake build --adopt`", r.Path, storage.ErrForeign, r.Path.File())
	}
	return errUnknownReply(rep)
}

// Outcome is how a run came to its end.
type Outcome string

// On the wire, as kinds of events: never rename one.
const (
	Published Outcome = "published" // other bytes are served now
	Unchanged Outcome = "unchanged" // the same bytes were served already
	Removed   Outcome = "removed"   // nothing is served any more
	Retrying  Outcome = "retrying"  // a later try may do better
	Refused   Outcome = "refused"   // a gate; final until the next trigger
	Failed    Outcome = "failed"    // final until the next trigger
)

// Postponed ends a run that was no try, since what it needs is known to be
// down: it does not count as an attempt. Lagging ends one whose source does not
// show yet what it has announced: see Run.Waited. Both look like Retrying to
// people.
const (
	Postponed Outcome = "postponed"
	Lagging   Outcome = "lagging"
)

// End is what the ledger answers to the end of a run.
type End struct {
	// Lost says that the page is another run's by now. If files were changed
	// meanwhile the page has to be triggered.
	Lost bool
	// Token is to be sent to a worker: a trigger came during the run.
	Token *Token
	// Wait says that this run's own token may be claimed again after it.
	Wait time.Duration
}

// Finish ends a run that published page, found it unchanged, or removed it.
// mtime is that of the files. page.Wake and page.Revalidate set the page's
// timers; one that is page.Lagging is looked at again after page.LookAgain, or
// in five minutes.
func (r *Run) Finish(ctx context.Context, outcome Outcome, page storage.Page, mtime time.Time) (End, error) {
	l := r.ledger
	var wake int64
	if !page.Wake.IsZero() {
		wake = page.Wake.UnixMilli()
	}
	end, err := r.end(l.run(ctx, l.scripts.finish, r.Path, r.owner, ms(l.cfg.MaxRun), string(outcome),
		page.Hash(), len(page.Body), page.Type, mtime.UnixMilli(), marshalTags(page.Tags), page.Version, page.Route, ms(tombstone), ms(spread(page.Revalidate)), wake,
		page.Lagging, ms(cmp.Or(page.LookAgain, lookAgain)), marshalShown(page.Shown)))
	r.Finished = err == nil && !end.Lost
	return end, err
}

// lookAgain is how long a page is left alone that shows an older version than
// its CMS has told of.
const lookAgain = 5 * time.Minute

// spread moves a period by up to a tenth, so that pages that were built
// together do not all come back together.
func spread(period time.Duration) time.Duration {
	if period <= 0 {
		return 0
	}
	return period*9/10 + rand.N(period/5+1)
}

// Fail ends a run that changed nothing. With Retrying its token may be claimed
// again after delay; with Lagging and Postponed too, with the latter a little
// later the more pages are owed, so that they do not come back together. With Refused and Failed only a
// trigger helps.
func (r *Run) Fail(ctx context.Context, outcome Outcome, delay time.Duration, reason string) (End, error) {
	l := r.ledger
	return r.end(l.run(ctx, l.scripts.fail, r.Path, r.owner, ms(l.cfg.MaxRun), string(outcome), ms(delay), reason))
}

// Gone says that the source has no such page. True means that it may be
// removed now; otherwise the run has ended and a second reading follows.
func (r *Run) Gone(ctx context.Context) (confirmed bool, end End, err error) {
	l := r.ledger
	rep, err := l.run(ctx, l.scripts.gone, r.Path, r.owner, ms(l.cfg.MaxRun), ms(confirmGone))
	if err == nil && rep.text(0) == "confirmed" {
		return true, End{}, nil
	}
	end, err = r.end(rep, err)
	return false, end, err
}

// Release gives the run back unfinished, at shutdown.
func (r *Run) Release(ctx context.Context) error {
	_, err := r.ledger.run(ctx, r.ledger.scripts.release, r.Path, r.owner)
	return err
}

func (r *Run) end(rep reply, err error) (End, error) {
	if err != nil {
		return End{}, err
	}
	switch rep.text(0) {
	case "done", "failed":
		return End{}, nil
	case "lost":
		return End{Lost: true}, nil
	case "waiting":
		return End{Wait: rep.duration(1)}, nil
	case "again":
		return End{Token: rep.token(r.Path)}, nil
	}
	return End{}, errUnknownReply(rep)
}
