// Package webhook reads what CMSs send when something has changed: it checks
// who sent a request, and says what the event in it has changed.
//
// A request goes through three hands. The verifier of its kind checks the
// body's own bytes before anything reads them. The kind's reader (a function
// from Event to Change, in a file of the kind's name) says what the event is
// about. The user's rules, where there are any, add to that or take it away.
//
// What comes out is a Change: paths, tags and items as the CMS writes them.
// Turning it into a trigger, and answering, is the caller's, who knows the
// site. Nothing here asks a server, keeps state, or logs.
package webhook
