package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode"
)

// bare is a value that YAML reads as the text that it is.
var bare = regexp.MustCompile(`^(?:https?://|/|\./)?[A-Za-z][A-Za-z0-9._/:*-]*$|^https?://[A-Za-z0-9.:-]+$|^/$`)

// word writes a value into YAML, with quotes where they are needed.
func word(v any) (string, error) {
	if s := fmt.Sprint(v); bare.MatchString(s) && !strings.HasSuffix(s, ":") && !words[strings.ToLower(s)] {
		return s, nil
	}
	return quote(v)
}

// words mean something else to YAML than their letters.
var words = map[string]bool{"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true}

// quote writes a value as a YAML string, since JSON's strings are YAML's too.
// A ${ in it is no environment variable.
func quote(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(strings.ReplaceAll(fmt.Sprint(v), "${", "$${"))
	return strings.TrimSuffix(b.String(), "\n"), err
}

// line writes a value into a comment.
func line(v any) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, fmt.Sprint(v))
}

// text writes a value into a template for HTML or XML. It is text there, and
// never an action.
func text(v any) string {
	return strings.NewReplacer("{", "&#123;", "}", "&#125;").Replace(html.EscapeString(line(v)))
}

// setting writes a path into a unit of systemd, which reads % itself.
func setting(path string) string {
	path = strings.ReplaceAll(path, "%", "%%")
	if !strings.ContainsAny(path, " \t\"'\\") {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}

// argument is setting in a command line, where $ means something too.
func argument(path string) string { return setting(strings.ReplaceAll(path, "$", "$$")) }
