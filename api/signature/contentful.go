package signature

import (
	"slices"
	"strings"
)

const (
	contentfulSignature = "x-contentful-signature"
	contentfulHeaders   = "x-contentful-signed-headers"
	contentfulTime      = "x-contentful-timestamp"
)

// maxSignedHeaders bounds the list of them. Contentful sends about ten.
const maxSignedHeaders = 100

// contentfulText returns what Contentful signs: method, path with query, those
// headers that one of them lists, and the body, a line each.
func contentfulText(r Request, stamp string) ([][]byte, error) {
	list, err := one(r.Header, contentfulHeaders)
	if err != nil {
		return nil, err
	}
	if strings.Count(list, ",") >= maxSignedHeaders {
		return nil, refused("%s lists more than %d", contentfulHeaders, maxSignedHeaders)
	}
	names := []string{contentfulHeaders, contentfulTime}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if n := len(r.Header.Values(name)); n > 1 {
			return nil, refused("a signed header is there %d times", n)
		} else if n == 1 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var fields []string
	for _, name := range names {
		value := latin1(strings.TrimSpace(r.Header.Get(name)))
		switch name {
		case contentfulHeaders:
			value = strings.Join(names, ",")
		case contentfulTime:
			value = stamp
		}
		fields = append(fields, name+":"+value)
	}
	head := r.Method + "\n" + contentfulPath(r) + "\n" + strings.Join(fields, ";") + "\n"
	return [][]byte{[]byte(head), r.Body}, nil
}

// contentfulPath returns path and query, escaped as Contentful escapes them:
// the query as if all of it were one value, and then both once more.
func contentfulPath(r Request) string {
	const (
		always = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"
		inURI  = always + ";,/?:@&=+$#"
	)
	if r.URL == nil {
		return ""
	}
	path := latin1(r.URL.EscapedPath())
	query, _, _ := strings.Cut(r.URL.RawQuery, "?")
	if query != "" {
		path += "?" + escape(latin1(query), always)
	}
	return escape(path, inURI)
}

// escape writes the bytes of s that are none of plain as %XX.
func escape(s, plain string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// latin1 reads each byte as a character, as JavaScript reads what HTTP sends:
// Contentful puts the webhook's name into a header, where a person may have
// written "Café".
func latin1(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) {
		return s
	}
	chars := make([]rune, len(s))
	for i := range len(s) {
		chars[i] = rune(s[i])
	}
	return string(chars)
}
