package origin

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
)

// links turns absolute links to the origin into links to the site: in
// attributes, scripts, feeds and structured data, plain, JSON-escaped or
// percent-encoded. Safe for concurrent use.
type links struct {
	forms []linkForm
}

// linkForm is one way to write the hosts, and what may stand before them.
type linkForm struct {
	hosts   [][]byte
	schemes [][]byte // "http://", "https://" and "//" in this form
	site    []byte   // the site with its scheme
	bare    []byte   // the site without
}

// newLinks makes a rewriter of links to hosts, less the site's own. A link by
// another scheme to the site's own host is left: it may be another port's.
func newLinks(site *url.URL, hosts []string) *links {
	var from []string
	for _, host := range hosts {
		if host != "" && host != site.Host && !slices.Contains(from, host) {
			from = append(from, host)
		}
	}
	l := &links{}
	if len(from) == 0 {
		return l
	}
	for _, escape := range []func(string) string{
		func(s string) string { return s },
		strings.NewReplacer("/", `\/`).Replace,
		strings.NewReplacer("/", "%2F", ":", "%3A").Replace,
		strings.NewReplacer("/", "%2f", ":", "%3a").Replace,
	} {
		f := linkForm{site: []byte(escape(site.Scheme + "://" + site.Host)), bare: []byte(escape("//" + site.Host))}
		for _, host := range from {
			f.hosts = append(f.hosts, []byte(escape(host)))
		}
		for _, scheme := range []string{"https://", "http://", "//"} {
			f.schemes = append(f.schemes, []byte(escape(scheme)))
		}
		l.forms = append(l.forms, f)
	}
	return l
}

// rewrite returns body with the site's links; it is body itself when there was
// nothing to do.
func (l *links) rewrite(body []byte) []byte {
	for _, f := range l.forms {
		for _, host := range f.hosts {
			body = f.rewrite(body, host)
		}
	}
	return body
}

func (f linkForm) rewrite(body, host []byte) []byte {
	var out []byte
	done := 0 // of body is in out
	for at := 0; ; {
		i := bytes.Index(body[at:], host)
		if i < 0 {
			break
		}
		start, end := at+i, at+i+len(host)
		at = end
		scheme := f.schemeBefore(body[done:start])
		if scheme == nil || !endsHost(body[end:]) {
			continue
		}
		out = append(out, body[done:start-len(scheme)]...)
		if bytes.Equal(scheme, f.schemes[2]) {
			out = append(out, f.bare...)
		} else {
			out = append(out, f.site...)
		}
		done = end
	}
	if done == 0 {
		return body
	}
	return append(out, body[done:]...)
}

// schemeBefore returns what of the schemes the text ends in, nil for none. A
// "//" after a colon belongs to a scheme that is none of these.
func (f linkForm) schemeBefore(text []byte) []byte {
	for _, scheme := range f.schemes[:2] {
		if bytes.HasSuffix(text, scheme) {
			return scheme
		}
	}
	rest, found := bytes.CutSuffix(text, f.schemes[2])
	if !found || bytes.HasSuffix(rest, []byte(":")) || bytes.HasSuffix(bytes.ToLower(rest), []byte("%3a")) {
		return nil
	}
	return f.schemes[2]
}

// endsHost reports whether a host that stands before rest ends there, and is
// not the beginning of a longer one or of one with a port.
func endsHost(rest []byte) bool {
	if len(rest) == 0 {
		return true
	}
	switch c := rest[0]; {
	case c == ':':
		return len(rest) == 1 || rest[1] < '0' || rest[1] > '9'
	case c == '.':
		return len(rest) == 1 || !isHostByte(rest[1])
	case c == '%':
		return len(rest) < 3 || !bytes.EqualFold(rest[:3], []byte("%3a"))
	default:
		return !isHostByte(c)
	}
}

func isHostByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c >= 0x80
}
