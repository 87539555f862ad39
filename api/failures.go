package api

import (
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"rebake/api/bounded"
)

// How often one sender may be wrong about a secret, and how many senders are
// told apart.
const (
	failuresPerSecond = 5
	failuresAtOnce    = 20
	mostSenders       = 10_000
)

// failures limits how often a sender is told that its secret is wrong, and how
// often the log is. It never keeps out whoever has the right one: behind a
// proxy all senders have one address, and one of them could shut out the others.
// The address is the connection's own. What headers say about it is made up by
// whoever sends them. Safe for concurrent use.
type failures struct {
	senders *bounded.Map[string, *rate.Limiter]
	log     rate.Sometimes
}

func newFailures() *failures {
	return &failures{
		senders: bounded.New[string, *rate.Limiter](mostSenders, time.Minute),
		log:     rate.Sometimes{Interval: time.Second},
	}
}

// tooMany counts one failure, and reports whether there are too many.
func (f *failures) tooMany(r *http.Request, now time.Time) bool {
	from := sender(r.RemoteAddr)
	limit, ok := f.senders.Get(from, now)
	if !ok {
		limit = rate.NewLimiter(failuresPerSecond, failuresAtOnce)
		f.senders.Put(from, limit, now)
	}
	return !limit.AllowN(now, 1)
}

// sender returns what tells senders apart: the address, of IPv6 the network,
// since one machine has all addresses in it.
func sender(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return remote
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	network, _ := addr.Prefix(64)
	return network.String()
}

var errTooManyFailures = &badRequest{http.StatusTooManyRequests, "too_many_attempts", "Invalid token; too many of them, wait a second"}

// unauthorized answers a request without the right secret.
func (a *API) unauthorized(w http.ResponseWriter, r *http.Request) {
	if !a.failures.tooMany(r, time.Now()) {
		a.refuse(w, r, errUnauthorized)
		return
	}
	a.tooManyFailures(w, r)
}

// tooManyFailures answers a sender that is wrong too often.
func (a *API) tooManyFailures(w http.ResponseWriter, r *http.Request) {
	a.failures.log.Do(func() {
		a.log.Warn("too many wrong secrets, not each is logged", "route", r.URL.Path, "from", sender(r.RemoteAddr))
	})
	a.metrics.refused.WithLabelValues(errTooManyFailures.code).Inc()
	w.Header().Set("Retry-After", "1")
	answer(w, errTooManyFailures.status, problem{Error: errTooManyFailures.code, Message: errTooManyFailures.message})
}
