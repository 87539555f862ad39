package renderer

import (
	"time"

	"rebake/renderer/source"
)

// RouteConfig is one entry of `routes` in rebake.yaml. The first route whose
// path matches a page renders it.
type RouteConfig struct {
	// Path is a pattern: literal segments, {name} for one segment, and
	// {name...} at the end for one or more.
	Path string `yaml:"path"`
	// Template is a file below the templates folder. A route has this, Origin
	// or Pass.
	Template string `yaml:"template,omitempty"`
	// Origin is a name under `origins`: the page is a snapshot of its answer.
	Origin string `yaml:"origin,omitempty"`
	// Pass is a name under `origins` too: paths of this form are no pages, the
	// web server sends them there.
	Pass string `yaml:"pass,omitempty"`
	// Shared says that the origin's page is the same for everybody, though the
	// origin calls it private.
	Shared bool `yaml:"shared,omitempty"`
	// IgnoreCookies are names of cookies that the origin's answer may set; they
	// are dropped.
	IgnoreCookies []string `yaml:"ignore_cookies,omitempty"`
	// Type is the media type of a page whose path does not name one, without
	// parameters; by default what the template's extension says.
	Type string `yaml:"type,omitempty"`
	// File is the name of the page's file in its folder, where the path does
	// not name one: index.html, index.xml, index.json or index.txt. By default
	// that of the type, which it implies where nothing else says one.
	File string `yaml:"file,omitempty"`
	// Data is fetched before the template runs, each entry under its name.
	Data map[string]FetchConfig `yaml:"data,omitempty"`
	// Tags are strings with {…} expressions over the parameters and the data;
	// one whose expression gives null is dropped.
	Tags []string `yaml:"tags,omitempty"`
	// Version is a string with {…} expressions: the version of the content.
	Version string `yaml:"version,omitempty"`
	// List names all pages of the route.
	List *ListConfig `yaml:"list,omitempty"`
	// Canonical is a string with {…} expressions: the path that the data
	// belongs to. At any other path it is not there. Default: the list's path
	// over the entry that a listed item stands for; "none" for no check.
	Canonical string `yaml:"canonical,omitempty"`
	// PublishAt is a string with {…} expressions: when the page begins, in
	// RFC 3339 or without a zone for UTC; null or "" for always.
	PublishAt string `yaml:"publish_at,omitempty"`
	// ExpireAt is the same for when the page ends.
	ExpireAt string `yaml:"expire_at,omitempty"`
	// Revalidate is after how long a page is rendered again without a trigger;
	// zero for never, else at least 1s.
	Revalidate time.Duration `yaml:"revalidate,omitempty"`
	// Misses says which unknown paths a request may render. Default any, and
	// off for a route of an origin whose path ends in {name...}.
	Misses Misses `yaml:"misses,omitempty"`
	// Gates are the checks that a render must pass before it is published.
	Gates GatesConfig `yaml:"gates,omitempty"`
}

// FetchConfig says what to read from a source.
type FetchConfig struct {
	// Source is a name under `sources`.
	Source string `yaml:"source"`
	// Get is appended to the source's URL; {…} expressions over the route's
	// parameters are escaped for a URL. It may be left out beside Query.
	Get string `yaml:"get,omitempty"`
	// Query is a GraphQL query, sent by POST; braces in it are its own.
	Query string `yaml:"query,omitempty"`
	// Variables are the query's variables. Strings may hold {…} expressions
	// over the route's parameters; a single one keeps the type of its value,
	// and null drops the variable.
	Variables map[string]any `yaml:"variables,omitempty"`
	// Items is an expression over the answer (of a query: over its data) to
	// what is wanted of it; default all.
	Items string `yaml:"items,omitempty"`
	// One takes the only item of the answer, or the answer itself when it is
	// an object; an empty answer means that the page is gone.
	One bool `yaml:"one,omitempty"`
}

// ListConfig says where a route's pages are listed.
type ListConfig struct {
	// Source, Get, Query, Variables and Items are as in FetchConfig; there are
	// no parameters, and Items must give a list.
	Source    string         `yaml:"source"`
	Get       string         `yaml:"get,omitempty"`
	Query     string         `yaml:"query,omitempty"`
	Variables map[string]any `yaml:"variables,omitempty"`
	Items     string         `yaml:"items,omitempty"`
	// Path is a string with {…} expressions over the fields of an item, and
	// the item itself as `item`: its page. An item whose expression gives
	// null has none.
	Path string `yaml:"path"`
	// As names the data entry that a listed item stands for: a render from the
	// list does not fetch it.
	As string `yaml:"as,omitempty"`
	// Pagination comes before the source's own, key by key.
	Pagination source.Pagination `yaml:"pagination,omitempty"`
}

// Misses says what may be rendered because somebody asks for it.
type Misses string

// The values of Misses.
const (
	MissesAny    Misses = "any"    // every path that the route matches
	MissesListed Misses = "listed" // paths that the route's list has named
	MissesOff    Misses = "off"    // none: only triggers make pages
)

// GatesConfig sets a route's gates; a zero field takes the default.
type GatesConfig struct {
	// MaxBytes is the largest page; default 10 MiB.
	MaxBytes int64 `yaml:"max_bytes,omitempty"`
	// Complete asks for </html> at the end of an HTML page; default true.
	Complete *bool `yaml:"complete,omitempty"`
}
