package renderer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"rebake/renderer/expression"
	"rebake/storage"
)

// Pattern is the form of a route's paths: "/", "/blog/{slug}", "/{name}.xml",
// "/shop/{rest...}". The zero Pattern matches nothing. Safe for concurrent use.
type Pattern struct {
	text     string
	segments []segment
}

// segment is literal text (name is ""), or a parameter between two texts.
type segment struct {
	before, name, after string
	rest                bool // takes all segments that are left, one at least
}

const wellKnown = ".well-known"

// reservedNames are words in a route's expressions and templates.
var reservedNames = []string{"path", "params", "site"}

// ParsePattern parses a pattern. One slash at the end is taken away, as in
// storage.ParsePath: the path with it is the same page.
func ParsePattern(text string) (Pattern, error) {
	p, err := parsePattern(text)
	if err != nil {
		return Pattern{}, fmt.Errorf("pattern %q: %w", text, err)
	}
	return p, nil
}

func parsePattern(text string) (Pattern, error) {
	if !strings.HasPrefix(text, "/") {
		return Pattern{}, errors.New("must start with /")
	}
	if text != "/" {
		text = strings.TrimSuffix(text, "/")
	}
	p := Pattern{text: text}
	if text == "/" {
		return p, nil
	}
	texts := strings.Split(text[1:], "/")
	for i, s := range texts {
		seg, err := parseSegment(s)
		switch {
		case err != nil:
			return Pattern{}, err
		case seg.rest && i != len(texts)-1:
			return Pattern{}, fmt.Errorf("{%s...} must be the last segment", seg.name)
		case seg.name != "" && slices.Contains(p.Params(), seg.name):
			return Pattern{}, fmt.Errorf("parameter {%s} stands there twice", seg.name)
		}
		p.segments = append(p.segments, seg)
	}
	if p.segments[0].before == wellKnown && (len(p.segments) < 2 || p.segments[1].name != "") {
		return Pattern{}, errors.New("must name what it wants below /.well-known, without a parameter there")
	}
	if _, err := p.sample(); err != nil {
		return Pattern{}, err
	}
	return p, nil
}

func parseSegment(s string) (segment, error) {
	before, tail, found := strings.Cut(s, "{")
	if !found {
		if strings.Contains(s, "}") {
			return segment{}, fmt.Errorf("segment %q: } without a {", s)
		}
		return segment{before: s}, nil
	}
	name, after, found := strings.Cut(tail, "}")
	switch {
	case !found:
		return segment{}, fmt.Errorf("segment %q: { without its }", s)
	case strings.ContainsAny(after, "{}") || strings.Contains(before, "}") || strings.Contains(name, "{"):
		return segment{}, fmt.Errorf("segment %q: holds more than one parameter", s)
	}
	name, rest := strings.CutSuffix(name, "...")
	if err := expression.ValidName(name); err != nil {
		return segment{}, fmt.Errorf("segment %q: %w", s, err)
	}
	if slices.Contains(reservedNames, name) {
		return segment{}, fmt.Errorf("segment %q: %q has a meaning of its own in expressions; take another name", s, name)
	}
	if rest && before+after != "" {
		return segment{}, fmt.Errorf("segment %q: {%s...} must be a whole segment", s, name)
	}
	return segment{before: before, name: name, after: after, rest: rest}, nil
}

// sample is a path that the pattern matches. That it can be parsed shows that
// the literal text is fit for a path.
func (p Pattern) sample() (storage.Path, error) {
	texts := make([]string, len(p.segments))
	for i, s := range p.segments {
		texts[i] = s.before + s.after
		if s.name != "" {
			texts[i] = s.before + "x" + s.after
		}
	}
	rules := storage.PathRules{WellKnown: []string{"/" + wellKnown}}
	path, err := rules.Parse("/" + strings.Join(texts, "/"))
	var refused *storage.PathError
	if errors.As(err, &refused) {
		return path, fmt.Errorf("no path can have this form: %s (%s)", refused.Hint, refused.Code)
	}
	return path, err
}

// String returns the pattern in its canonical form, by which routes are named.
func (p Pattern) String() string { return p.text }

// Params returns the names of the parameters, from left to right.
func (p Pattern) Params() []string {
	var names []string
	for _, s := range p.segments {
		if s.name != "" {
			names = append(names, s.name)
		}
	}
	return names
}

// Match reports whether path has the pattern's form, and if so the values of
// the parameters, decoded. The map is the caller's; no value is empty.
func (p Pattern) Match(path storage.Path) (map[string]string, bool) {
	return p.match(path, path.Segments())
}

// match is Match for a caller that asks many patterns about one path.
func (p Pattern) match(path storage.Path, given []string) (map[string]string, bool) {
	if path.IsZero() || p.text == "" || len(given) < len(p.segments) {
		return nil, false
	}
	if n := len(p.segments); len(given) > n && !(n > 0 && p.segments[n-1].rest) {
		return nil, false
	}
	for i, s := range p.segments {
		if !s.rest && !s.matches(given[i]) {
			return nil, false
		}
	}
	params := map[string]string{}
	for i, s := range p.segments {
		switch {
		case s.rest:
			params[s.name] = strings.Join(given[i:], "/")
		case s.name != "":
			params[s.name] = given[i][len(s.before) : len(given[i])-len(s.after)]
		}
	}
	return params, true
}

func (s segment) matches(given string) bool {
	if s.name == "" {
		return given == s.before
	}
	return len(given) > len(s.before)+len(s.after) &&
		strings.HasPrefix(given, s.before) && strings.HasSuffix(given, s.after)
}

// Regexp returns the pattern as a regular expression over decoded paths, for
// web servers: anchored at both ends, with or without a slash at the end, and
// without quotes, braces and backslashes, which configurations read themselves.
// Of paths in their canonical form it matches those that Match does. It is ""
// for the zero Pattern.
func (p Pattern) Regexp() string {
	switch {
	case p.text == "":
		return ""
	case len(p.segments) == 0:
		return "^/$"
	}
	var b strings.Builder
	b.WriteString("^")
	for _, s := range p.segments {
		b.WriteString("/" + literal.Replace(s.before))
		switch {
		case s.rest:
			b.WriteString(".+")
		case s.name != "":
			b.WriteString("[^/]+" + literal.Replace(s.after))
		}
	}
	if !p.endsInRest() {
		b.WriteString("/?")
	}
	return b.String() + "$"
}

// literal takes the meaning from what means something in a regular expression,
// of all that a path may hold.
var literal = strings.NewReplacer(".", "[.]", "$", "[$]", "(", "[(]", ")", "[)]", "*", "[*]", "+", "[+]")

// endsInRest reports whether the pattern takes all segments from some point on.
func (p Pattern) endsInRest() bool {
	n := len(p.segments)
	return n > 0 && p.segments[n-1].rest
}

// wellKnown returns the longest literal prefix, in whole segments, of a
// pattern below /.well-known, "" for all others.
func (p Pattern) wellKnown() string {
	if len(p.segments) == 0 || p.segments[0].before != wellKnown {
		return ""
	}
	var b strings.Builder
	for _, s := range p.segments {
		if s.name != "" {
			break
		}
		b.WriteString("/" + s.before)
	}
	return b.String()
}
