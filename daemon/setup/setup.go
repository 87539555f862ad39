// Package setup looks at a site that is there already, and writes what Rebake
// needs to take it over: rebake.yaml, templates where they are asked for, a
// unit for systemd.
//
// To look is a handful of GET requests, each bounded, without cookies and in
// the form in which Rebake will ask later. What is decided is decided by facts
// of the answers, and told together with them. A file that is there is not
// overwritten unless somebody says so.
//
// It does not try what it has written, and starts nothing.
package setup

import (
	"rebake/renderer/origin"
)

// Wish is what is known beforehand of a site.
type Wish struct {
	// URL is the site's address as visitors type it: scheme and host alone.
	URL string
	// Origin is where the site's own server answers without nginx's files
	// before it, "" when nobody has said it.
	Origin string
	// Headless asks for a site of templates over the site's API.
	Headless bool
}

// Tell says to a person what was found, under a short name.
type Tell func(name, format string, args ...any)

// Site is what was found out about a site.
type Site struct {
	URL    string // as visitors use it: scheme and host
	Kind   origin.Kind
	Title  string
	Origin string // where its server answers, or has to answer
	// Found says that the site was seen at Origin. Otherwise nothing answered
	// there yet.
	Found bool
	// Host is what the server takes itself for, "" for the site's own host.
	Host string
	// Slash is always or never when the site redirects to one form of its
	// addresses, else auto.
	Slash string
	// Start is where the site redirects / to, "" when / is a page.
	Start string
	// Feeds are paths of feeds that answer.
	Feeds []string
	// Private is what the home page's answer says of itself that would keep it
	// from being published, "" for nothing.
	Private string
	// Cookies are names of cookies that the home page sets.
	Cookies []string
	// Shop says that WooCommerce runs there.
	Shop bool
	// Headless is what a site of templates starts from, nil when it was not
	// asked for.
	Headless *Headless
	// Notes are what a person should know besides.
	Notes []string
}
