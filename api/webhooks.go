package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"rebake/api/signature"
	"rebake/api/webhook"
	"rebake/worker"
)

// Outcomes of events, for the metric.
const (
	eventAccepted   = "accepted"   // a trigger came of it
	eventIgnored    = "ignored"    // none did, since it is about no page
	eventDuplicate  = "duplicate"  // it was received before
	eventParked     = "parked"     // some of it was not understood, and is kept for a person
	eventUnreadable = "unreadable" // neither JSON nor a form, or too large
	eventRefused    = "refused"    // whoever sent it does not have the secret
	eventLost       = "lost"       // nothing could keep or read it: its sender was told so
	eventAsked      = "asked"      // a question, and no event
)

var eventOutcomes = []string{eventAccepted, eventIgnored, eventDuplicate, eventParked, eventUnreadable, eventRefused, eventLost, eventAsked}

var errNoWebhook = &badRequest{http.StatusNotFound, "unknown_webhook", "there is no such webhook"}

var errBusyWebhook = &badRequest{http.StatusServiceUnavailable, "busy", "the rules of this webhook take too long over other events; send it again"}

// webhook takes an event of a CMS. What is answered with 200 is durable. A
// sender is never told that an address is gone for good: some forget the
// webhook then.
func (a *API) webhook(w http.ResponseWriter, r *http.Request) {
	hook, ok := a.cfg.Webhooks.Hook(mux.Vars(r)["name"])
	if !ok {
		a.refuse(w, r, errNoWebhook)
		return
	}
	outcome := a.event(w, r, hook)
	a.metrics.events.WithLabelValues(hook.Name(), outcome).Inc()
}

// event answers a request for one webhook. Nothing in it is read before its
// signature holds.
func (a *API) event(w http.ResponseWriter, r *http.Request, hook *webhook.Hook) (outcome string) {
	body, err := a.readAtMost(w, r, a.mostBody(hook))
	if err != nil {
		a.refuse(w, r, err)
		if errors.Is(err, errBusyBodies) {
			return eventLost
		}
		return eventUnreadable
	}
	req := signature.Request{Method: r.Method, URL: r.URL, Header: r.Header, Body: body}
	d, err := hook.Verify(req, time.Now())
	if err != nil && hook.IsPing(req) {
		return a.answerPing(w, r)
	}
	if err != nil {
		a.badSignature(w, r, hook, err)
		return eventRefused
	}
	if hook.Seen(d, time.Now()) {
		a.answerEvent(w, revalidated{Message: "this event was received before"})
		return eventDuplicate
	}
	e, err := hook.Event(req, d)
	if err != nil {
		a.refuse(w, r, bad("bad_body", err.Error()+"; send JSON, or a form"))
		return eventUnreadable
	}
	// Many senders do not wait for an answer, and none of them sends again.
	reading := a.cfg.Webhooks.Read(context.WithoutCancel(r.Context()), hook, e)
	if len(reading.Ask) > 0 {
		return a.answerQuestion(w, r, reading.Ask)
	}
	res, outcome, err := a.settle(r, hook, e, reading)
	if err != nil {
		a.refuse(w, r, err)
		return eventLost
	}
	hook.Done(d, time.Now()) // now that it is durable, and not before
	a.answerEvent(w, res)
	return outcome
}

// settle makes what an event has changed durable, and keeps what was not
// understood of it. One that was not read at all is left to its sender: there
// may be nothing wrong with it, and there is little room for what is kept.
func (a *API) settle(r *http.Request, hook *webhook.Hook, e webhook.Event, reading webhook.Reading) (revalidated, string, error) {
	if reading.Busy {
		return revalidated{}, "", errBusyWebhook
	}
	changed := a.changed(hook, reading)
	changed.reason = a.reason("webhook "+hook.Name(), r)
	accepted, err := a.submitEach(r, changed.triggers())
	if err != nil {
		return revalidated{}, "", err
	}
	res := revalidated{ID: id(accepted), Pages: pages(accepted), Message: changed.remark(accepted), Problem: a.foreign(reading.Home)}
	a.logIgnored(hook, changed, res.Message, len(reading.Failed) > 0)
	if len(reading.Failed) == 0 {
		if changed.isZero() {
			return res, eventIgnored, nil
		}
		return res, eventAccepted, nil
	}
	said, err := a.park(r, hook, e, reading)
	if err != nil {
		return res, "", err
	}
	if changed.isZero() && len(changed.left) == 0 {
		res.Message = "it was not understood, and is " + said
	} else {
		res.Message = sentences("some of it was not understood, and is "+said, res.Message)
	}
	return res, eventParked, nil
}

// logIgnored says why an event triggers nothing, or not all that it names, but
// for what is parked. Its sender is told as well, and few of them show that to
// anybody.
func (a *API) logIgnored(hook *webhook.Hook, c changed, why string, parked bool) {
	switch why = a.words(why, 500); {
	case len(c.left) > 0 && (parked || !c.isZero()):
		a.log.Info("event names what is not on this site", "webhook", hook.Name(), "why", why)
	case c.isZero() && !parked:
		a.log.Info("event triggers nothing", "webhook", hook.Name(), "why", why)
	}
}

// submitEach makes several triggers durable, one after the other. After an error
// some may be: to send them again is harmless.
func (a *API) submitEach(r *http.Request, triggers []worker.Trigger) (worker.Accepted, error) {
	var all worker.Accepted
	for i, t := range triggers {
		accepted, err := a.submitQuietly(r, t)
		if err != nil {
			if i > 0 {
				a.logAccepted(all, t.Reason)
			}
			return all, err
		}
		all.Pages = append(all.Pages, accepted.Pages...)
		all.Labels = append(all.Labels, accepted.Labels...)
		all.Unmatched = append(all.Unmatched, accepted.Unmatched...)
		all.OverQuota = append(all.OverQuota, accepted.OverQuota...)
		switch s := accepted.Spooled; {
		case s == nil:
		case all.Spooled == nil:
			all.Spooled = s
		default:
			all.Spooled.Paths = append(all.Spooled.Paths, s.Paths...)
			all.Spooled.Labels = append(all.Spooled.Labels, s.Labels...)
		}
	}
	if len(triggers) > 0 {
		a.logAccepted(all, triggers[0].Reason)
	}
	return all, nil
}

// answerEvent answers as senders want it: with 200 and the word that callers of
// Next.js look for, whatever came of the event.
func (a *API) answerEvent(w http.ResponseWriter, res revalidated) {
	res.Revalidated, res.Now = true, time.Now().UnixMilli()
	res.Message, res.Problem = a.words(res.Message, 1000), a.words(res.Problem, 1000)
	answer(w, http.StatusOK, res)
}

// answerPing answers a sender that only asks whether somebody is there. Nobody
// vouches for it, so it may not ask more often than others may be wrong.
func (a *API) answerPing(w http.ResponseWriter, r *http.Request) (outcome string) {
	if a.failures.tooMany(r, time.Now()) {
		a.tooManyFailures(w, r)
		return eventRefused
	}
	a.answerEvent(w, revalidated{Message: "the ping has come through"})
	return eventIgnored
}

// badSignature answers a request that nobody vouches for. Why is for the log
// alone.
func (a *API) badSignature(w http.ResponseWriter, r *http.Request, hook *webhook.Hook, why error) {
	if errors.Is(why, signature.ErrRefused) {
		a.refusals.add(hook.Name(), a.words(strings.TrimPrefix(why.Error(), signature.ErrRefused.Error()+": "), 300), time.Now())
	}
	if a.failures.tooMany(r, time.Now()) {
		a.tooManyFailures(w, r)
		return
	}
	if !errors.Is(why, signature.ErrRefused) {
		a.refuse(w, r, why)
		return
	}
	a.log.Warn("webhook refused", "webhook", hook.Name(), "why", a.words(why.Error(), 300), "from", sender(r.RemoteAddr))
	a.metrics.refused.WithLabelValues(errUnauthorized.code).Inc()
	answer(w, errUnauthorized.status, problem{Error: errUnauthorized.code, Message: "Invalid signature"})
}

// mostBody is the largest body of a webhook, in bytes.
func (a *API) mostBody(hook *webhook.Hook) int64 {
	if most := hook.Config().MaxBody; most > 0 {
		return most
	}
	return a.cfg.MaxBody
}

// SetWebhooks puts other webhooks in the place of those that there are, from the
// next request on. After an error they stay.
func (a *API) SetWebhooks(configs map[string]webhook.Config) error {
	if err := a.cfg.Webhooks.Replace(configs); err != nil {
		return err
	}
	a.metrics.webhooks(a.cfg.Webhooks.Names())
	return nil
}
