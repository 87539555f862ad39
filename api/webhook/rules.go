package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"rebake/renderer/expression"
	"rebake/worker"
)

// vars are what the expressions of rules may name.
var vars = []string{"body", "header", "query", "method", "source"}

func (e Event) vars() map[string]any {
	return map[string]any{"body": bounded(e.Body), "header": bounded(e.Header), "query": bounded(e.Query), "method": e.Method, "source": e.Source}
}

// rule is a Rule that was understood.
type rule struct {
	when                  *expression.Value // nil: always
	paths, tags, prefixes []*expression.Text
	item, version         *expression.Text // nil: the kind's
	all                   bool
}

// compile returns all that is wrong with a rule, each led by its key.
func (r Rule) compile() (rule, error) {
	var errs []error
	fail := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	text := func(key, s string) *expression.Text {
		t, err := expression.Parse(s, vars)
		fail(key, err)
		return t
	}
	texts := func(key string, list Texts) (parsed []*expression.Text) {
		for i, s := range list {
			if s == "" {
				fail(fmt.Sprintf("%s[%d]", key, i), errors.New("is empty"))
				continue
			}
			parsed = append(parsed, text(fmt.Sprintf("%s[%d]", key, i), s))
		}
		return parsed
	}
	c := rule{paths: texts("paths", r.Paths), tags: texts("tags", r.Tags), prefixes: texts("prefixes", r.Prefixes), all: r.All}
	if r.When != "" {
		when, err := expression.ParseClosed(r.When, vars)
		fail("when", err)
		c.when = when
	}
	if r.Item != "" {
		c.item = text("item", r.Item)
	}
	if r.Version != "" {
		c.version = text("version", r.Version)
	}
	return c, errors.Join(errs...)
}

// Failure is a part of a rule that came to nothing for an event.
type Failure struct {
	// Key is where it stands: "rules[0].paths[1]".
	Key string `json:"key"`
	// Message says what is wrong.
	Message string `json:"message"`
}

// Reading is what became of an event.
type Reading struct {
	Change
	// Matched are the numbers of the rules that the event matched, from 0.
	Matched []int
	// Failed are the parts of rules that came to nothing. The others count.
	Failed []Failure
	// Dropped are the parts of rules that gave nothing for the event, such as
	// null.
	Dropped []Failure
	// Busy says that rules had no time for the event, and nothing is known of
	// it: its sender has to send it again.
	Busy bool
	// Ruled says that there are rules, so that an event which matches none of
	// them is nobody's business.
	Ruled bool
}

// read applies the kind's reader and the rules to an event. What rules name is
// added to what the kind reads by itself; only an item takes its place.
func (h *Hook) read(e Event) Reading {
	r := Reading{Ruled: len(h.rules) > 0}
	own, err := h.kind.read(e)
	own.Tags = append(own.Tags, own.Kinds...)
	if kinds := own.kinds(); h.cfg.Upstream && h.kind.lists != nil && len(kinds) > 0 {
		own.Tags = append(own.Tags, h.kind.lists(h.name, kinds)...)
	}
	own.Kinds = nil
	if !r.Ruled {
		if err != nil {
			r.Failed = append(r.Failed, Failure{Message: err.Error()})
		}
		r.Change = own.once()
		return r
	}
	// With rules, an event need not look as the kind's own do, unless a rule may be
	// about another part of it.
	env, c := e.vars(), own
	c.Items = nil
	for i, rule := range h.rules {
		fail := func(key string, err error) {
			r.Failed = append(r.Failed, Failure{fmt.Sprintf("rules[%d].%s", i, key), err.Error()})
		}
		if !rule.matches(env, fail) {
			continue
		}
		r.Matched = append(r.Matched, i)
		drop := func(key, what string) {
			r.Dropped = append(r.Dropped, Failure{fmt.Sprintf("rules[%d].%s", i, key), what})
		}
		c.Paths = append(c.Paths, list("paths", rule.paths, env, fail, drop)...)
		c.Tags = append(c.Tags, list("tags", rule.tags, env, fail, drop)...)
		c.Prefixes = append(c.Prefixes, list("prefixes", rule.prefixes, env, fail, drop)...)
		c.Items = append(c.Items, rule.items(env, own.Items, fail, drop)...)
		c.All = c.All || rule.all
	}
	switch {
	case len(r.Matched) > 0:
		if err != nil && h.kind.several {
			r.Failed = append(r.Failed, Failure{Message: err.Error()})
		}
		if own.IsZero() && !c.IsZero() {
			c.Message = "" // the kind saw nothing in it, and a rule did
		}
		r.Change = c.once()
	case len(own.Ask) > 0: // a question is no event
		r.Change = own
	}
	return r
}

// matches reports whether a rule is about an event. One that cannot tell is
// not: it has to be an answer of true.
func (r rule) matches(env map[string]any, fail func(string, error)) bool {
	if r.when == nil {
		return true
	}
	v, err := r.when.Eval(env)
	if err != nil {
		fail("when", err)
		return false
	}
	yes, isBool := v.(bool)
	if !isBool && v != nil {
		fail("when", fmt.Errorf("gives a %T; it must give true or false", v))
	}
	return yes
}

// items returns the item that a rule names, or the event's own with the rule's
// version.
func (r rule) items(env map[string]any, own []worker.Item, fail func(string, error), drop func(key, what string)) []worker.Item {
	version, versioned := "", false
	if r.version != nil {
		var err error
		if version, versioned, err = r.version.Eval(env); err != nil {
			fail("version", err)
		}
	}
	items := slices.Clone(own)
	if r.item != nil {
		tag, ok, err := r.item.Eval(env)
		switch {
		case err != nil:
			fail("item", err)
			return nil
		case !ok:
			drop("item", "null")
			return nil
		case tag == "":
			drop("item", "empty")
			return nil
		}
		at := slices.IndexFunc(own, func(i worker.Item) bool { return i.Tag == tag })
		items = []worker.Item{{Tag: tag}}
		if at >= 0 {
			items[0].Version = own[at].Version
		} else if len(own) == 1 { // by another name
			items[0].Version = own[0].Version
		}
	}
	if r.version != nil {
		for i := range items {
			items[i].Version = ""
			if versioned {
				items[i].Version = version
			}
		}
	}
	return items
}

// list evaluates the texts of one key. What fails, or gives nothing, is left
// out, and told.
func list(key string, texts []*expression.Text, env map[string]any, fail func(string, error), drop func(key, what string)) []string {
	var all []string
	for i, t := range texts {
		v, ok, err := t.EvalValue(env)
		var some []string
		if err == nil && ok {
			some, err = textsOf(v)
			all = append(all, some...)
		}
		switch place := fmt.Sprintf("%s[%d]", key, i); {
		case err != nil:
			fail(place, err)
		case !ok:
			drop(place, "null")
		case len(some) == 0:
			drop(place, "empty")
		}
	}
	return all
}

// mostGiven bounds the texts that one entry of a rule may give.
const mostGiven = 10_000

// textsOf returns the texts of what an entry gives: one, or a list in which
// null drops its place. Anything else has no place in a path.
func textsOf(v any) ([]string, error) {
	switch v := v.(type) {
	case string, int, json.Number:
		if s := word(v); s != "" {
			return []string{s}, nil
		}
		return nil, nil
	case []any:
		if len(v) > mostGiven {
			return nil, fmt.Errorf("gives a list of more than %d", mostGiven)
		}
		var texts []string
		for i, item := range v {
			s, isText := item.(string)
			if !isText && item != nil {
				return nil, fmt.Errorf("gives a list whose item %d is a %T; each must be a text", i, item)
			}
			if s != "" {
				texts = append(texts, s)
			}
		}
		return texts, nil
	}
	return nil, fmt.Errorf("gives a %T; it must give a text, or a list of texts", v)
}

// once returns the change with everything in it once.
func (c Change) once() Change {
	for _, list := range []*[]string{&c.Paths, &c.Known, &c.Prefixes, &c.Tags} {
		*list = unique(*list)
	}
	c.Items = unique(c.Items)
	return c
}

func unique[T comparable](list []T) []T {
	seen := make(map[T]bool, len(list))
	var kept []T
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			kept = append(kept, v)
		}
	}
	return kept
}
