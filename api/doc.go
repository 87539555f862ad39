// Package api is the way in: triggers from CMSs and people, and the questions
// that the command line and the dashboard ask.
//
// There are two listeners. The public one stands behind nginx; every route on
// it asks for the site's secret, or a webhook's, or cannot change anything. The admin one asks
// for a token, always. What a request may do depends on nothing else: no
// header from a proxy, no address, no cookie. (Who is wrong about a secret too
// often is told so by another status, and the log is spared; see failures.)
//
// A trigger is answered when it is durable and not before. The package keeps
// no state, knows nothing of queues, and renders nothing.
package api
