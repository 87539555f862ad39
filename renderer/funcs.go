package renderer

import (
	"fmt"
	htmltemplate "html/template"
	"strings"
	"time"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
)

// newFuncs returns what templates can call besides Go's own functions. This
// is the only place where text from a source becomes markup.
func newFuncs() map[string]any {
	policy := bluemonday.UGCPolicy() // safe for concurrent use once it is made
	return map[string]any{
		// trusted passes HTML as it is: for sources whose authors may write
		// scripts anyway.
		"trusted": func(v any) (htmltemplate.HTML, error) {
			s, err := text("trusted", v)
			return htmltemplate.HTML(s), err
		},
		// sanitized keeps the markup of a text that anybody may have written,
		// and drops what runs, loads or styles.
		"sanitized": func(v any) (htmltemplate.HTML, error) {
			s, err := text("sanitized", v)
			return htmltemplate.HTML(policy.Sanitize(s)), err
		},
		// plain makes text of HTML; it is escaped again where it is shown.
		"plain": func(v any) (string, error) {
			s, err := text("plain", v)
			return plain(s), err
		},
		"date": date,
	}
}

// text takes a string from the data; null is an empty one.
func text(name string, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case htmltemplate.HTML:
		return string(v), nil
	case map[string]any:
		return "", fmt.Errorf("%s wants a text and got a map; name one of its fields", name)
	}
	return "", fmt.Errorf("%s wants a text and got a %T", name, v)
}

// dateForms are tried in turn. WordPress leaves the zone out; such a time is
// shown as it is written.
var dateForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly}

// date shows a time in a layout of Go's package time; null is nothing.
func date(layout string, v any) (string, error) {
	s, err := text("date", v)
	if err != nil || s == "" && v == nil {
		return "", err
	}
	if t, ok := parseTime(s); ok {
		return t.Format(layout), nil
	}
	return "", fmt.Errorf("date cannot read %.40q; it knows 2006-01-02T15:04:05 with or without a zone, and 2006-01-02", s)
}

// parseTime reads a time in one of the forms; without a zone it is UTC.
func parseTime(s string) (time.Time, bool) {
	for _, form := range dateForms {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// plain returns the text of an HTML fragment in one line.
func plain(s string) string {
	var b strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(s))
	dropped := false // the next text is a script or the like
	for {
		kind := tokens.Next()
		switch kind {
		case html.ErrorToken: // the end, since a string cannot fail
			return strings.Join(strings.Fields(b.String()), " ")
		case html.TextToken:
			if !dropped {
				b.Write(tokens.Text())
			}
			dropped = false
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			tag, _ := tokens.TagName()
			dropped = kind != html.EndTagToken && noText[string(tag)]
			if !inline[string(tag)] {
				b.WriteByte(' ') // "<p>a</p><p>b</p>" is two words
			}
		}
	}
}

// noText are the elements whose content is no text, and no markup either.
var noText = map[string]bool{"script": true, "style": true, "iframe": true, "noembed": true, "noframes": true}

// inline are the elements that can stand inside a word.
var inline = map[string]bool{
	"a": true, "abbr": true, "b": true, "bdi": true, "bdo": true, "cite": true, "code": true, "data": true,
	"del": true, "dfn": true, "em": true, "font": true, "i": true, "ins": true, "kbd": true, "mark": true,
	"q": true, "s": true, "samp": true, "small": true, "span": true, "strong": true, "sub": true, "sup": true,
	"time": true, "u": true, "var": true, "wbr": true,
}
