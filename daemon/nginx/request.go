package nginx

import (
	"regexp"
	"slices"
	"strings"
)

// kind is what nginx knows of the software that an origin runs.
type kind struct {
	passes []string       // prefixes, besides those of the config
	form   *regexp.Regexp // for what no prefix says, or nil
}

// kinds has no query parameters: those that mean something are not ignored.
var kinds = map[string]kind{
	"plain":     {},
	"next":      {passes: []string{"/_next"}},
	"nuxt":      {passes: []string{"/_nuxt"}, form: regexp.MustCompile("/_payload[.]json$")},
	"wordpress": {form: regexp.MustCompile("[.]php(?:/|$)")},
}

// own are regular expressions over the paths that an origin always answers
// itself. before stands in front of each path.
func (o Origin) own(before string) []string {
	k := kinds[o.Kind]
	prefixes := o.Passes
	if !o.Copied { // else its files come first
		prefixes = slices.Concat(k.passes, prefixes)
	}
	var names []string
	for i, p := range prefixes {
		covered := slices.ContainsFunc(prefixes[:i], func(wider string) bool { return p == wider || strings.HasPrefix(p, wider+"/") })
		if !covered && (k.form == nil || !k.form.MatchString(p)) {
			names = append(names, literal(p[1:]))
		}
	}
	var list []string
	if len(names) > 0 {
		list = append(list, "^"+before+"/(?:"+strings.Join(names, "|")+")(?:/|$)")
	}
	switch {
	case k.form == nil:
	case before == "":
		list = append(list, k.form.String())
	default:
		list = append(list, "^"+before+"(?=/).*"+k.form.String())
	}
	return list
}

// telling is a regular expression over the query that finds a part that is
// none of the names. It reads the query as it is: an encoded name is none of
// them. A part ends at & alone, but one with a semicolon is not ignored, since
// some servers see two parts in it.
func telling(names []string) string {
	if len(names) == 0 {
		return "(?:^|&)(?!&|$)"
	}
	return "(?:^|&)(?!(?:(?:" + alternatives(names, "[^=&;]*") + ")(?:=[^&;]*)?)?(?:&|$))"
}

// known is a regular expression over the Cookie header that finds a cookie of
// one of the names.
func known(names []string) string {
	return "(?:^|;) *(?:" + alternatives(names, "[^=;]*") + ") *="
}

// alternatives finds one of the names, whose * stands for any.
func alternatives(names []string, anything string) string {
	var list []string
	for _, name := range names {
		begin, found := strings.CutSuffix(name, "*")
		if found {
			begin = literal(begin) + anything
		} else {
			begin = literal(begin)
		}
		list = append(list, begin)
	}
	return strings.Join(list, "|")
}

// literal makes a name stand for itself. A bracket and not a backslash: nginx
// reads those.
func literal(name string) string { return strings.ReplaceAll(name, ".", "[.]") }
