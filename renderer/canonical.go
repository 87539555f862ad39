package renderer

import (
	"fmt"
	"strings"

	"rebake/renderer/expression"
	"rebake/storage"
)

// noCanonical switches the check off.
const noCanonical = "none"

// canonical rebuilds the path of a page from what was fetched for it. Sources
// answer for more paths than they have pages: WordPress finds the post hello
// for ?slug=HELLO, and two posts for ?slug=a,b.
type canonical struct {
	text *expression.Text
	as   string // the text is a list's path over this entry; "" for the page's own names
}

func newCanonical(p *problems, text string, list *List, vars []string) *canonical {
	switch {
	case text == noCanonical:
		return nil
	case text != "":
		return &canonical{text: p.text("canonical", text, vars)}
	case list != nil && list.as != "":
		return &canonical{text: list.path, as: list.as}
	}
	return nil
}

// check returns an ErrGone where the page of the data is another one than m.
func (c *canonical) check(m Match, rules storage.PathRules, env map[string]any) error {
	if c == nil {
		return nil
	}
	if c.as != "" {
		env = expression.Open(env[c.as], itemName, c.as)
	}
	if name := c.text.Missing(env); name != "" {
		return fmt.Errorf("canonical: %s needs %s, which the data does not have; read it with the data, or set canonical", c.text, name)
	}
	s, ok, err := c.text.Eval(env)
	switch {
	case err != nil:
		return fmt.Errorf("canonical: %w", err)
	case !ok:
		return &storage.GoneError{Reason: fmt.Sprintf("canonical: what was asked for as %s has no path", m.Path)}
	}
	if p, err := parsePath(rules, s); err == nil && p == m.Path {
		return nil // what is no path at all is not this one either
	}
	return &storage.GoneError{Reason: fmt.Sprintf("canonical: what was asked for as %s belongs to %.200q", m.Path, s)}
}

// parsePath parses a path that was made from fetched data. WordPress keeps a
// slug with other letters than a to z escaped, "caf%c3%a9"; since no path
// holds a %, there is only one way to read it. Errors are *storage.PathError.
func parsePath(rules storage.PathRules, s string) (storage.Path, error) {
	if strings.Contains(s, "%") {
		return rules.ParseEscaped(s)
	}
	return rules.Parse(s)
}
