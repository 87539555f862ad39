package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// Operator is what the admin listener asks of the worker floor.
type Operator interface {
	Hold(ctx context.Context, by, why string) error
	Remove(context.Context, worker.Removal) error
	Matches(storage.Path) bool
	Queues() ([]worker.QueueSize, error)
	Subscribe(buffer int) (<-chan ledger.Event, func())
}

// Index is what the admin listener asks of the ledger about many pages.
type Index interface {
	List(context.Context, ledger.Query) (list []ledger.State, next string, err error)
	EachPage(context.Context, ledger.Label, func(storage.Path) error) error
	EachFailed(context.Context, func(ledger.State) error) error
	Pages(context.Context, ledger.Label) (int64, error)
	Oldest(context.Context) (time.Time, error)
	Walks(context.Context) ([]ledger.Walking, error)
	Down(context.Context) ([]ledger.Down, error)
	EachLagging(context.Context, func(ledger.State) error) error
	CountParked(context.Context) (int64, error)
	History(ctx context.Context, p storage.Path, most int) ([]ledger.Event, error)
}

// Records are what the ledger remembers of triggers that came this way.
type Records interface {
	SaveRecord(context.Context, ledger.Record) error
	Record(ctx context.Context, id uint64) (ledger.Record, bool, error)
	Progress(ctx context.Context, r ledger.Record, unmet func(ledger.State)) (ledger.Progress, error)
}

// Marks are what people have told the ledger.
type Marks interface {
	Resume(context.Context) (bool, error)
	Held(context.Context) (*ledger.Hold, error)
	Kept(context.Context, storage.Path) (*ledger.Kept, error)
}

func (a *API) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether anything comes of a trigger now. While nothing does,
// triggers are accepted all the same, and spooled, until the spool is full.
// Anybody may ask, so it tells no more.
func (a *API) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	intake := a.site.Intake()
	ready := map[string]any{"status": "ready"}
	if intake.Spooled.Records > 0 {
		ready["spooled"], ready["spooled_bytes"] = intake.Spooled.Records, intake.Spooled.Bytes
	}
	if intake.Reason != "" {
		ready["reason"] = intake.Reason
	}
	var hold *ledger.Hold
	var err error
	if intake.Reason == "" || intake.Full {
		if hold, err = a.state.Held(ctx); err == nil {
			_, err = a.state.Counts(ctx)
		}
		if err != nil {
			ready["reason"] = "redis does not answer"
		}
	}
	if hold != nil {
		ready["held"] = true
	}
	if err != nil || intake.Reason != "" && !intake.Full {
		ready["status"] = "unavailable"
		answer(w, http.StatusServiceUnavailable, ready)
		return
	}
	answer(w, http.StatusOK, ready)
}

// Explanation is the answer of /v1/explain: all that is known of one path.
type Explanation struct {
	Path      string            `json:"path"`
	File      string            `json:"file"`
	Freshness ledger.Freshness  `json:"freshness"`
	Page      *ledger.PageState `json:"page,omitempty"`
	Owed      *ledger.OwedState `json:"owed,omitempty"`
	// Label makes the page stale when nothing else does.
	Label ledger.Label `json:"label,omitempty"`
	Kept  *ledger.Kept `json:"kept,omitempty"`
	Hold  *ledger.Hold `json:"hold,omitempty"`
	// Unmatched says that no route has the path.
	Unmatched bool `json:"unmatched,omitempty"`
	// Passed is the origin that always answers the path itself, so that it is
	// unmatched.
	Passed string `json:"passed,omitempty"`
	// History is what became lately of those who asked for a page that there
	// never was, and is not now; the newest first.
	History []Event `json:"history,omitempty"`
}

// mostHistory is how many ends of runs an explanation has.
const mostHistory = 20

func (a *API) explain(w http.ResponseWriter, r *http.Request) {
	query, err := parseQuery(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	p, err := a.pageNamed(query.Get("path"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), acceptTime)
	defer cancel()
	e, err := a.explanation(ctx, p)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, e)
}

func (a *API) explanation(ctx context.Context, p storage.Path) (e Explanation, err error) {
	s, err := a.state.State(ctx, p)
	if err != nil {
		return e, err
	}
	e = Explanation{
		Path: p.String(), File: p.File(), Freshness: s.Freshness, Page: s.Page, Owed: s.Owed, Label: s.Label,
		Unmatched: !a.site.Matches(p),
	}
	if s.Page != nil {
		e.File = cmp.Or(p.FileFor(s.Page.Type), e.File)
	}
	if e.Unmatched {
		e.Passed = a.routes.PassedTo(p)
	}
	if e.Kept, err = a.state.Kept(ctx, p); err != nil {
		return e, err
	}
	if e.Hold, err = a.state.Held(ctx); err != nil || e.Freshness != ledger.PageUnknown {
		return e, err
	}
	history, err := a.state.History(ctx, p, mostHistory)
	for _, end := range history {
		e.History = append(e.History, newEvent(end))
	}
	return e, err
}

// readObject decodes a body that has to be one JSON object, with the fields of
// v and no others.
func (a *API) readObject(w http.ResponseWriter, r *http.Request, v any, example string) error {
	raw, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if _, err = object(raw); err == nil {
		err = dec.Decode(v)
	}
	if err != nil {
		return bad("bad_json", fmt.Sprintf("the body must be JSON such as %s: %v", example, err))
	}
	return nil
}

// by says who asks: as they say themselves, or by their program.
func (a *API) by(said string, r *http.Request) string {
	if said = a.words(said, 60); said != "" {
		return said
	}
	return a.reason("admin", r)
}
