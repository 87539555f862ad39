package renderer

import (
	"errors"
	"fmt"
	"strings"

	"rebake/renderer/expression"
)

// problems collects what is wrong with one route.
type problems struct {
	prefix string // "routes[1]"
	errs   []error
	// blind routes have no parameters that are known: every use of one would
	// be reported again.
	blind bool
}

// add reports err, each part of it if it is joined, under a key of the route.
func (p *problems) add(key string, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			p.add(key, e)
		}
		return
	}
	p.errs = append(p.errs, fmt.Errorf("%s.%s: %w", p.prefix, key, err))
}

// addKeyed is add for errors that are led by a key below key.
func (p *problems) addKeyed(key string, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			p.addKeyed(key, e)
		}
		return
	}
	p.errs = append(p.errs, fmt.Errorf("%s.%s.%w", p.prefix, key, err))
}

// parse parses a text; a blind route's is taken as it is.
func (p *problems) parse(text string, vars []string) (*expression.Text, error) {
	t, err := expression.Parse(text, vars)
	if p.blind {
		return t, nil
	}
	return t, err
}

// text parses the text of a key, and reports its problems; nil for none.
func (p *problems) text(key, text string, vars []string) *expression.Text {
	if text == "" {
		return nil
	}
	t, err := p.parse(text, vars)
	if err != nil {
		p.add(key, err)
	}
	return t
}

func (p *problems) err() error { return errors.Join(p.errs...) }

func unknown(kind, name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("unknown %s %q (there are none)", kind, name)
	}
	return fmt.Errorf("unknown %s %q (known: %s)", kind, name, strings.Join(known, ", "))
}
