package api

import (
	"fmt"
	"regexp"
	"strings"

	"rebake/storage/ledger"
)

// glob is a pattern of paths: * is any text within a segment, and ** any
// number of whole segments, also none.
type glob struct {
	text  string
	index ledger.Label // holds all pages that can match, and others
	match *regexp.Regexp
}

func (a *API) parseGlob(s string) (glob, error) {
	refuse := func(why string) (glob, error) {
		return glob{}, bad("bad_glob", fmt.Sprintf("the pattern %.80q: %s", s, why))
	}
	if !strings.HasPrefix(s, "/") {
		return refuse("it has to begin with /")
	}
	if !strings.Contains(s, "*") {
		return refuse("it has no *; name it as a path")
	}
	if len(s) > 1024 {
		return refuse("it is longer than 1024 bytes")
	}
	g := glob{text: s, index: ledger.Site}
	var literal, pattern strings.Builder
	fixed := true // no * so far
	for seg := range strings.SplitSeq(strings.Trim(s, "/"), "/") {
		fixed = fixed && !strings.Contains(seg, "*")
		switch {
		case seg == "**":
			pattern.WriteString(`(?:/[^/]+)*`)
			continue
		case strings.Contains(seg, "**"):
			return refuse("** stands for whole segments, as in /blog/**")
		case fixed:
			literal.WriteString("/" + seg)
		}
		pattern.WriteString("/" + strings.ReplaceAll(regexp.QuoteMeta(seg), `\*`, `[^/]*`))
	}
	if literal.Len() > 0 {
		p, err := a.cfg.Rules.Parse(literal.String())
		if err != nil {
			return glob{}, err
		}
		g.index = ledger.Prefix(p)
	}
	var err error
	if g.match, err = regexp.Compile("^" + pattern.String() + "/?$"); err != nil {
		return refuse("it cannot be read")
	}
	return g, nil
}
