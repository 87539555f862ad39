package source

import (
	"errors"
	"fmt"

	"rebake/renderer/expression"
	"rebake/storage"
)

// Items finds the list inside an answer. Safe for concurrent use.
type Items struct {
	where *expression.Value // nil: the answer itself
}

// ParseItems compiles an expression over an answer, such as "data" or
// "posts.nodes"; "" takes the answer itself.
func ParseItems(where string) (*Items, error) {
	if where == "" {
		return &Items{}, nil
	}
	v, err := expression.ParseValue(where)
	if err != nil {
		return nil, err
	}
	return &Items{v}, nil
}

// Given reports whether ParseItems was given an expression.
func (i *Items) Given() bool { return i.where != nil }

// Of returns what stands in the answer where the items should be, which may be
// a single object or null. An answer that does not have the place at all is
// another one than was asked for: a temporary error, since it may pass.
func (i *Items) Of(a Answer) (any, error) {
	if i.where == nil {
		return a.Value, nil
	}
	env := a.env()
	v, err := i.where.Eval(env)
	switch name := i.where.Missing(env); {
	case err == nil && v != nil:
		return v, nil
	case a.Faults != "":
		err = fmt.Errorf("items: nothing is there, and the API says: %s", a.Faults)
	case name != "":
		err = fmt.Errorf("items: the answer has no %s", name)
	case err != nil:
		err = fmt.Errorf("items: %w", err)
	default:
		return nil, nil
	}
	return nil, storage.Temporary(err)
}

// In returns the list of an answer; any other value in its place is an error.
func (i *Items) In(a Answer) ([]any, error) {
	v, err := i.Of(a)
	if err != nil {
		return nil, err
	}
	switch list, ok := v.([]any); {
	case ok && len(list) == 0 && a.Faults != "":
		return nil, storage.Temporary(fmt.Errorf("items: the list is empty, and the API says: %s", a.Faults))
	case ok:
		return list, nil
	case i.where == nil:
		return nil, errors.New("the answer is no list; say with items where in it the list is, such as items: data")
	case v == nil:
		return nil, fmt.Errorf("items: %s is null", i.where)
	}
	return nil, fmt.Errorf("items: %s is no list", i.where)
}
