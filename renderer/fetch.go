package renderer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"rebake/renderer/expression"
	"rebake/renderer/source"
	"rebake/storage"
)

// fetch is one entry of a route's data.
type fetch struct {
	name   string
	source *source.Source
	ask    ask
	items  *source.Items
	one    bool
	users  bool // it asks WordPress for users
	// collection is what it asks for, see source.Collection; not evaluated.
	collection string
}

// ask is a request whose parameters are not known yet.
type ask struct {
	get       *expression.Text
	query     string
	variables map[string]any // *expression.Text in the place of strings
}

// newFetch parses one entry of data; problems go under key.
func newFetch(p *problems, key, name string, c FetchConfig, sources map[string]*source.Source, params []string) fetch {
	f := fetch{name: name, one: c.One, users: asksForUsers(c.Get), collection: source.Collection(c.Get)}
	if f.source = sources[c.Source]; f.source == nil {
		p.add(key+".source", unknown("source", c.Source, slices.Sorted(maps.Keys(sources))))
	}
	f.ask = newAsk(p, key, c.Get, c.Query, c.Variables, params)
	var err error
	if f.items, err = source.ParseItems(c.Items); err != nil {
		p.add(key+".items", err)
	}
	if c.One && c.Query != "" && c.Items == "" {
		p.add(key+".items", errors.New("is missing; it says where in the data of the answer the one item is, such as items: post"))
	}
	return f
}

func newAsk(p *problems, key, get, query string, variables map[string]any, params []string) ask {
	a := ask{query: query}
	var err error
	if err = checkGet(get, query != ""); err == nil {
		a.get, err = p.parse(get, params)
	}
	if err != nil {
		p.add(key+".get", err)
	}
	if len(variables) > 0 && query == "" {
		p.add(key+".variables", errors.New("are those of a query; there is none"))
		return a
	}
	a.variables = make(map[string]any, len(variables))
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if a.variables[name], err = compileVariable(p, variables[name], params); err != nil {
			p.add(key+".variables."+name, err)
		}
	}
	return a
}

func checkGet(get string, hasQuery bool) error {
	if get == "" && hasQuery {
		return nil
	}
	if get == "" {
		return errors.New("is missing")
	}
	if get[0] != '/' && get[0] != '?' {
		return errors.New("must start with / or ?; it is appended to the source's url")
	}
	return nil
}

// compileVariable puts parsed texts in the place of strings.
func compileVariable(p *problems, v any, params []string) (any, error) {
	var err error
	switch v := v.(type) {
	case string:
		return p.parse(v, params)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			if out[i], err = compileVariable(p, v[i], params); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			if out[k], err = compileVariable(p, v[k], params); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// evalVariable is the value of what compileVariable made; false for a null
// that drops its place.
func evalVariable(v any, env map[string]any) (any, bool, error) {
	switch v := v.(type) {
	case *expression.Text:
		return v.EvalValue(env)
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			got, ok, err := evalVariable(item, env)
			if err != nil {
				return nil, false, err
			}
			if ok {
				out = append(out, got)
			}
		}
		return out, true, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			got, ok, err := evalVariable(item, env)
			if err != nil {
				return nil, false, fmt.Errorf("%s: %w", name, err)
			}
			if ok {
				out[name] = got
			}
		}
		return out, true, nil
	}
	return v, true, nil
}

// request fills in the parameters.
func (a ask) request(params map[string]any) (source.Request, error) {
	ref, ok, err := a.get.EvalURL(params)
	if err != nil {
		return source.Request{}, fmt.Errorf("get: %w", err)
	}
	if !ok {
		return source.Request{}, fmt.Errorf("get: an expression of %s gives null", a.get)
	}
	r := source.Request{Ref: ref, Query: a.query}
	if a.query != "" {
		variables, _, err := evalVariable(a.variables, params)
		if err != nil {
			return source.Request{}, fmt.Errorf("variables: %w", err)
		}
		r.Variables, _ = variables.(map[string]any)
	}
	return r, nil
}

// fetch reads all data of the route at once, but for the entry that a listed
// item stands for. The first failure ends the others.
func (m Match) fetch(ctx context.Context, urgent bool) (map[string]any, error) {
	params := make(map[string]any, len(m.Params))
	for name, value := range m.Params {
		params[name] = value
	}
	values := make([]any, len(m.route.fetches))
	group, ctx := errgroup.WithContext(ctx)
	for i, f := range m.route.fetches {
		if m.item != nil && f.name == m.route.list.as {
			values[i] = m.item
			continue
		}
		group.Go(func() error {
			err := storage.Contain(func() (err error) {
				values[i], err = f.do(ctx, params, urgent)
				return err
			})
			if err != nil {
				return fmt.Errorf("data %s: %w", f.name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	data := make(map[string]any, len(values)+len(params)+len(reservedNames))
	for i, f := range m.route.fetches {
		data[f.name] = values[i]
	}
	return data, nil
}

func (f fetch) do(ctx context.Context, params map[string]any, urgent bool) (any, error) {
	r, err := f.ask.request(params)
	if err != nil {
		return nil, err
	}
	r.Urgent = urgent
	answer, err := f.source.Fetch(ctx, r)
	if err != nil {
		err = f.withheld(ctx, r, err)
	}
	if errors.Is(err, storage.ErrGone) && !f.one {
		// Only what the page is about may take the page away: the chain ends
		// here, so that nobody finds ErrGone in it.
		return nil, fmt.Errorf("%v; only an entry with `one: true` may be gone", err)
	}
	if err != nil {
		return nil, err
	}
	v, err := f.items.Of(answer)
	if err == nil && f.source.WordPress() {
		if v, err = everybodys(v, f.collection); err != nil && !f.one {
			err = fmt.Errorf("%v; only an entry with `one: true` may be gone", err)
		}
	}
	if err != nil || !f.one {
		return v, err
	}
	v, err = only(v)
	if errors.Is(err, storage.ErrGone) && answer.Faults != "" {
		// What failed is null or left out, and not gone for that.
		err = storage.Temporary(fmt.Errorf("nothing is there, and the API says: %s", answer.Faults))
	}
	return v, err
}

// only takes the one item that an answer is about.
func only(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, fmt.Errorf("the answer is null: %w", storage.ErrGone)
	case map[string]any:
		return v, nil
	case []any:
		switch len(v) {
		case 0:
			return nil, fmt.Errorf("the answer is an empty list: %w", storage.ErrGone)
		case 1:
			if item, ok := v[0].(map[string]any); ok {
				return item, nil
			}
			return nil, errors.New("one: the only item of the answer is no object")
		}
		// WordPress answers ?slug=a,b with both, and the page /a,b is neither.
		return nil, &storage.RefusedError{
			Gate:   "ambiguous",
			Reason: fmt.Sprintf("one: the answer has %d items; make get name exactly one", len(v)),
		}
	}
	return nil, errors.New("one: the answer is neither an object nor a list")
}
