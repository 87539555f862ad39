package renderer

import (
	"encoding/json"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"reflect"
	"strings"
	"text/template"
	"text/template/parse"
)

// family is a way to escape what a template writes. The extension of the file
// decides it, and a page must be served as what it was escaped for.
//
// HTML is escaped by html/template, which knows attributes, URLs and scripts.
// It does not know XML: it would write <?xml as text, and takes <link> and
// <title> for the elements of HTML. So the other families are text/template
// with one function put behind every action, as html/template does it.
type family string

const (
	familyHTML family = "HTML"
	familyXML  family = "XML"  // text or a quoted attribute, trusted HTML too: a feed carries it escaped
	familyJSON family = "JSON" // a whole value, with its quotes
	familyText family = "text" // nothing has a meaning in it
)

// families are the extensions that make a file a template.
var families = map[string]family{
	".html": familyHTML, ".htm": familyHTML,
	".xml": familyXML, ".rss": familyXML, ".atom": familyXML, ".svg": familyXML, ".xsl": familyXML,
	".json": familyJSON, ".webmanifest": familyJSON,
	".txt": familyText, ".md": familyText, ".csv": familyText, ".ics": familyText,
}

// escapeFunc is the name of the function behind every action.
const escapeFunc = "_rebake_escape"

// build makes the set into something that runs the page called name.
func (f family) build(s set, name string, funcs map[string]any) (executor, error) {
	if f == familyHTML {
		return buildHTML(s, name, funcs)
	}
	root := template.New("").Funcs(funcs).Funcs(template.FuncMap{escapeFunc: f.escaper()}).Option("missingkey=error")
	for n, tree := range s.trees {
		tree = tree.Copy() // it is another page's too
		walk(tree.Root, func(n parse.Node) {
			if n, ok := n.(*parse.ActionNode); ok && len(n.Pipe.Decl) == 0 {
				n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
					NodeType: parse.NodeCommand,
					Pos:      n.Pos,
					Args:     []parse.Node{parse.NewIdentifier(escapeFunc).SetTree(tree).SetPos(n.Pos)},
				})
			}
		})
		if _, err := root.AddParseTree(n, tree); err != nil {
			return nil, fmt.Errorf("template: %s: %w", name, err)
		}
	}
	return root.Lookup(name), nil
}

func buildHTML(s set, name string, funcs map[string]any) (executor, error) {
	root := htmltemplate.New("").Funcs(funcs).Option("missingkey=error")
	for n, tree := range s.trees {
		if _, err := root.AddParseTree(n, tree.Copy()); err != nil {
			return nil, fmt.Errorf("template: %s: %w", name, err)
		}
	}
	t := root.Lookup(name)
	// html/template looks for actions in places that it cannot escape when a
	// template first runs. All other errors of this run come from the missing
	// data and writer.
	var unsafe *htmltemplate.Error
	if err := t.Execute(noWriter{}, nil); errors.As(err, &unsafe) {
		return nil, err
	}
	return t, nil
}

// noWriter ends a template at its first byte.
type noWriter struct{}

func (noWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func (f family) escaper() func(any) (string, error) {
	switch f {
	case familyJSON:
		return jsonValue
	case familyXML:
		return xmlText
	}
	return plainText
}

func jsonValue(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// plainText writes a value as text; null is nothing.
func plainText(v any) (string, error) {
	switch kind := reflect.ValueOf(v).Kind(); kind {
	case reflect.Invalid:
		return "", nil
	case reflect.Map, reflect.Slice, reflect.Struct:
		return "", fmt.Errorf("a %s is no text; name one of its fields or items", kind)
	}
	return fmt.Sprint(v), nil
}

// xmlText writes a value so that it stays text, or stays inside the quotes of
// its attribute.
func xmlText(v any) (string, error) {
	s, err := plainText(v)
	if err != nil {
		return "", err
	}
	return xmlEscapes.Replace(strings.Map(xmlChar, s)), nil
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// xmlChar replaces the characters that an XML document may not hold at all.
func xmlChar(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r == '\r', 0x20 <= r && r <= 0xFFFD, r >= 0x10000:
		return r
	}
	return '\uFFFD'
}

// checkXML refuses actions where escaped text is not read as such.
func checkXML(name, src string) error {
	for _, section := range [][2]string{{"<![CDATA[", "]]>"}, {"<!--", "-->"}} {
		rest, line := src, 1
		for {
			before, after, found := strings.Cut(rest, section[0])
			if !found {
				break
			}
			line += strings.Count(before, "\n")
			inside, tail, _ := strings.Cut(after, section[1])
			if strings.Contains(inside, "{{") {
				return fmt.Errorf("template: %s:%d: an action inside %s … %s; leave the section out, the value is escaped anyway",
					name, line, section[0], section[1])
			}
			line += strings.Count(inside, "\n")
			rest = tail
		}
	}
	return nil
}
