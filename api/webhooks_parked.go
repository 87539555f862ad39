package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"rebake/api/signature"
	"rebake/api/webhook"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// Parking is where events are kept that were not understood.
type Parking interface {
	Park(ctx context.Context, e ledger.ParkedEvent, covered ledger.Moment) (ledger.Parked, error)
	DroppedParked(context.Context) (map[string]int64, error)
	ParkedEvents(ctx context.Context, limit int) ([]ledger.ParkedEvent, error)
	TakeParked(ctx context.Context, id string) (e ledger.ParkedEvent, ok bool, err error)
}

// mostParked is how many events are listed, and mostParkedBody how large one may
// be that is kept.
const (
	mostParked     = 1000
	mostParkedBody = 1 << 20
)

// parkedRequest is the request of a parked event. In the ledger: never rename a
// field, add a new one.
type parkedRequest struct {
	Method string            `json:"method"`
	Header map[string]string `json:"header"` // none that could hold a secret
	Query  map[string]string `json:"query,omitempty"`
	Body   string            `json:"body"`
}

// ParkedEvent is an event in the answer of /v1/webhooks/parked.
type ParkedEvent struct {
	ID      string    `json:"id"`
	Webhook string    `json:"webhook"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	// Event and About are what its sender calls it, such as entry.publish, and
	// the item or page that it is about; empty when nobody can tell.
	Event string `json:"event,omitempty"`
	About string `json:"about,omitempty"`
	// Body is what the CMS has sent; empty when it was too large to be kept.
	Body string `json:"body"`
}

// ParkedEvents is the answer of /v1/webhooks/parked.
type ParkedEvents struct {
	Events []ParkedEvent `json:"events"` // the newest first
	// Dropped is how many events of each webhook were dropped for these.
	Dropped map[string]int64 `json:"dropped,omitempty"`
}

// park keeps an event for a person to look at, and says so. It returns an error
// when it cannot be kept: the sender is the only one that has it then.
func (a *API) park(r *http.Request, hook *webhook.Hook, e webhook.Event, reading webhook.Reading) (string, error) {
	why := failureText(reading.Failed)
	event, about := hook.About(e, reading)
	parked := ledger.ParkedEvent{ID: rand.Text()[:13], Webhook: hook.Name(), Reason: a.words(why, 500), Event: a.words(event, 60), About: a.words(about, 200)}
	req := parkedRequest{Method: e.Method, Header: map[string]string{}, Query: map[string]string{}, Body: a.scrub(string(e.Raw))}
	for name, value := range e.Kept() {
		req.Header[name] = a.scrub(value)
	}
	for name, value := range e.Query {
		if s, isText := value.(string); isText && !webhook.Guards(name) {
			req.Query[name] = a.scrub(s)
		}
	}
	var err error
	if parked.Body, err = json.Marshal(req); err != nil {
		return "", fmt.Errorf("encode event: %w", err)
	}
	if len(parked.Body) > mostParkedBody {
		parked.Body, parked.Reason = nil, parked.Reason+"; its body is too large to be kept"
	}
	if err := a.keep(r, parked); err != nil {
		a.log.Error("event not understood, and not kept", "webhook", hook.Name(), "why", parked.Reason, "err", err)
		return "", err
	}
	a.log.Error("event not understood, and kept: see `rebake webhook parked`", "webhook", hook.Name(), "event", parked.ID, "of", parked.About, "why", parked.Reason)
	return "kept as " + parked.ID + ": " + why, nil
}

// The trigger that stands for dropped events waits for that long: a flood of
// them has the site rendered once in a while, and not all the time.
const (
	coverSettle = time.Minute
	coverWait   = 5 * time.Minute
)

// keep parks an event. Others are dropped for it only when a trigger of all
// pages stands in their place: what they were about, nobody knows any more.
func (a *API) keep(r *http.Request, e ledger.ParkedEvent) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), acceptTime)
	defer cancel()
	res, err := a.state.Park(ctx, e, 0)
	for tries := 0; err == nil && res.Full && tries < 3; tries++ { // others park as well
		cover := worker.Trigger{Labels: []ledger.Label{ledger.Site}, Priority: ledger.Low, Reason: "events of webhooks dropped that nobody has looked at", Settle: coverSettle, MaxWait: coverWait}
		if _, err = a.submit(r, cover); err == nil {
			res, err = a.state.Park(ctx, e, res.Until)
		}
	}
	switch {
	case err != nil:
		return err
	case res.Full:
		return storage.Temporary(errors.New("too many events are parked at once"))
	case res.Dropped > 0:
		a.metrics.dropped.Add(float64(res.Dropped))
		a.log.Error("parked events dropped for newer ones, and all pages triggered in their place: see `rebake webhook parked`", "dropped", res.Dropped)
	}
	return nil
}

func failureText(failed []webhook.Failure) string {
	text := ""
	for i, f := range failed[:min(len(failed), 3)] {
		if i > 0 {
			text += "; "
		}
		if f.Key != "" {
			text += f.Key + ": "
		}
		text += f.Message
	}
	if more := len(failed) - 3; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

func (a *API) parkedEvents(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), acceptTime)
	defer cancel()
	list, err := a.state.ParkedEvents(ctx, mostParked)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	dropped, err := a.state.DroppedParked(ctx)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	shown := []ParkedEvent{}
	for _, e := range list {
		var req parkedRequest
		_ = json.Unmarshal(e.Body, &req) // a body that was not kept is none
		shown = append(shown, ParkedEvent{ID: e.ID, Webhook: e.Webhook, Reason: e.Reason, At: e.At, Event: e.Event, About: e.About, Body: req.Body})
	}
	answer(w, http.StatusOK, ParkedEvents{shown, dropped})
}

// RetryParked is the body of POST /v1/webhooks/parked/retry.
type RetryParked struct {
	// ID is the event; empty is all of them.
	ID string `json:"id,omitempty"`
	// Drop takes the events away without looking at them again.
	Drop bool `json:"drop,omitempty"`
}

// Retried says what became of one parked event.
type Retried struct {
	ID      string `json:"id"`
	Webhook string `json:"webhook"`
	// Result is "accepted", "ignored", "dropped", or "parked" when it is not
	// understood now either.
	Result  string `json:"result"`
	Pages   int    `json:"pages"`
	Message string `json:"message,omitempty"`
}

// retryParked sends parked events through the rules again.
func (a *API) retryParked(w http.ResponseWriter, r *http.Request) {
	var body RetryParked
	if err := a.readObject(w, r, &body, `{"id": "…"}`); err != nil {
		a.refuse(w, r, err)
		return
	}
	list, err := a.state.ParkedEvents(r.Context(), mostParked)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	results := []Retried{}
	for _, e := range list {
		if body.ID != "" && e.ID != body.ID {
			continue
		}
		res, err := a.retry(r, e, body.Drop)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		results = append(results, res)
	}
	if body.ID != "" && len(results) == 0 {
		a.refuse(w, r, &badRequest{http.StatusNotFound, "unknown_event", fmt.Sprintf("no event %.40q is parked", body.ID)})
		return
	}
	answer(w, http.StatusOK, map[string]any{"events": results})
}

// retry looks at one event again. It is taken out when what comes of it is
// durable: the other way round, a crash would lose it.
func (a *API) retry(r *http.Request, parked ledger.ParkedEvent, drop bool) (Retried, error) {
	res := Retried{ID: parked.ID, Webhook: parked.Webhook, Result: "dropped"}
	if !drop {
		again, err := a.again(r, parked)
		if err != nil || again.Result == eventParked {
			return again, err
		}
		res = again
	}
	_, _, err := a.state.TakeParked(r.Context(), parked.ID)
	return res, err
}

func (a *API) again(r *http.Request, parked ledger.ParkedEvent) (Retried, error) {
	res := Retried{ID: parked.ID, Webhook: parked.Webhook, Result: eventParked}
	hook, ok := a.cfg.Webhooks.Hook(parked.Webhook)
	if !ok {
		res.Message = "there is no webhook of this name any more"
		return res, nil
	}
	var req parkedRequest
	if err := json.Unmarshal(parked.Body, &req); err != nil {
		res.Message = "its body was not kept"
		return res, nil
	}
	e, err := hook.Event(req.request())
	if err != nil {
		res.Message = err.Error()
		return res, nil
	}
	reading := a.cfg.Webhooks.Read(r.Context(), hook, e)
	if len(reading.Failed) > 0 {
		res.Message = failureText(reading.Failed)
		return res, nil
	}
	c := a.changed(hook, reading)
	c.reason = "webhook " + hook.Name() + ", parked before"
	accepted, err := a.submitEach(r, c.triggers())
	if err != nil {
		return res, err
	}
	res.Result, res.Pages, res.Message = eventAccepted, pages(accepted), c.remark(accepted)
	if c.isZero() {
		res.Result = eventIgnored
	}
	return res, nil
}

// request is the request as a reader wants it.
func (p parkedRequest) request() (signature.Request, webhook.Delivery) {
	header, query := http.Header{}, url.Values{}
	for name, value := range p.Header {
		header.Set(name, value)
	}
	for name, value := range p.Query {
		query.Set(name, value)
	}
	r := signature.Request{Method: p.Method, URL: &url.URL{RawQuery: query.Encode()}, Header: header, Body: []byte(p.Body)}
	return r, webhook.Delivery{Event: signature.Event{Header: header, Body: r.Body}}
}
