package api

import (
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"rebake/api/webhook"
)

// Public returns the handler of the listener that nginx and CMSs talk to.
func (a *API) Public() http.Handler {
	r := newRouter()
	revalidate := methods(a.revalidate, http.MethodGet, http.MethodPost, http.MethodPut)
	r.Handle("/api/revalidate", revalidate)
	r.Handle("/api/revalidate/", revalidate) // some frameworks add the slash
	event := methods(a.webhook, http.MethodPost)
	r.Handle(webhook.Prefix+"{name}", event)
	r.Handle(webhook.Prefix+"{name}/", event)
	r.NotFoundHandler = http.HandlerFunc(a.miss)
	return a.guard(a.bodies.within(r))
}

// Admin returns the handler of the admin listener.
func (a *API) Admin() http.Handler {
	r := newRouter()
	r.Handle("/healthz", methods(a.healthz, http.MethodGet))
	r.Handle("/readyz", methods(a.readyz, http.MethodGet))
	r.Handle("/metrics", a.private(methods(a.metrics.ServeHTTP, http.MethodGet)))
	r.Handle("/v1/explain", a.private(methods(a.explain, http.MethodGet)))
	r.Handle("/v1/triggers", a.private(methods(a.createTrigger, http.MethodPost)))
	r.Handle("/v1/triggers/{id}", a.private(methods(a.triggerProgress, http.MethodGet)))
	r.Handle("/v1/pages", a.private(methods(a.listPages, http.MethodGet)))
	r.Handle("/v1/status", a.private(methods(a.status, http.MethodGet)))
	r.Handle("/v1/events", a.private(methods(a.events, http.MethodGet)))
	r.Handle("/v1/hold", a.private(methods(a.hold, http.MethodPost)))
	r.Handle("/v1/resume", a.private(methods(a.resume, http.MethodPost)))
	r.Handle("/v1/gc", a.private(methods(a.gc, http.MethodGet, http.MethodPost)))
	r.Handle("/v1/webhooks/parked", a.private(methods(a.parkedEvents, http.MethodGet)))
	r.Handle("/v1/webhooks/parked/retry", a.private(methods(a.retryParked, http.MethodPost)))
	r.Handle("/v1/reconcile", a.private(methods(a.reconcile, http.MethodGet, http.MethodPost)))
	r.Handle("/v1/remove", a.private(methods(a.remove, http.MethodPost)))
	for _, path := range []string{"/api/revalidate", webhook.Prefix} {
		r.PathPrefix(path).HandlerFunc(notHere)
	}
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.refuse(w, r, &badRequest{http.StatusForbidden, "cross_origin", "not from a page of another site"})
	}))
	return a.guard(sameOrigin.Handler(r))
}

// notHere tells a sender that it has the wrong one of two addresses.
func notHere(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusNotFound, problem{Error: "admin_address", Message: "this is the address for Rebake's own commands (admin in rebake.yaml); events and triggers go to the other one (listen)"})
}

// newRouter does not clean paths: a redirect to the cleaned form would turn a
// POST into a GET and drop its body.
func newRouter() *mux.Router {
	r := mux.NewRouter().SkipClean(true)
	r.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, problem{Error: "not_found", Message: "nothing is served here"})
	})
	return r
}

// methods lets only these in. HEAD and OPTIONS are none of them, so that they
// never trigger anything.
func methods(h http.HandlerFunc, allowed ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(allowed, r.Method) {
			h(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		answer(w, http.StatusMethodNotAllowed, problem{Error: "method", Message: "use " + strings.Join(allowed, ", ")})
	})
}

// guard holds for every answer: it is not stored, not sniffed, and a panic
// ends its own request only.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		defer func() {
			if v := recover(); v != nil {
				a.log.Error("request panicked", "route", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
				answer(w, http.StatusInternalServerError, problem{Error: "internal", Message: "internal error"})
			}
		}()
		next.ServeHTTP(w, r)
	})
}
