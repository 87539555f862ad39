package config

import (
	"reflect"

	"go.yaml.in/yaml/v3"
)

// free sets v from n where any value is right, as in the variables of a query:
// the type is the one that YAML sees.
func (d *decoder) free(n *yaml.Node, key string, v reflect.Value) {
	var to reflect.Value
	switch {
	case n.Kind == yaml.MappingNode:
		to = reflect.ValueOf(&map[string]any{})
	case n.Kind == yaml.SequenceNode:
		to = reflect.ValueOf(&[]any{})
	case isNull(n):
		v.SetZero()
		return
	default:
		to = scalarFor(n)
	}
	d.value(n, key, to.Elem())
	v.Set(to.Elem())
}

// scalarFor returns a pointer to what a plain value is read as. Text that came
// from the environment stays text.
func scalarFor(n *yaml.Node) reflect.Value {
	switch n.ShortTag() {
	case "!!int":
		return reflect.ValueOf(new(int))
	case "!!float":
		return reflect.ValueOf(new(float64))
	case "!!bool":
		return reflect.ValueOf(new(bool))
	}
	return reflect.ValueOf(new(string))
}
