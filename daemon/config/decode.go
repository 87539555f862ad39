package config

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"rebake/api/webhook"
	"rebake/renderer/origin"
	"rebake/renderer/source"
	"rebake/storage"
)

const (
	// maxAliased is how many values may be reached through aliases: a small
	// file can name the same anchor so often that it means millions.
	maxAliased = 10_000
	// maxProblems is how many problems are told; a file with more is no config
	// at all.
	maxProblems = 100
)

var (
	configType   = reflect.TypeFor[Config]()
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[storage.Secret]()
	secretsType  = reflect.TypeFor[Secrets]()
	sourceType   = reflect.TypeFor[source.Config]()
	originType   = reflect.TypeFor[origin.Config]()
	textsType    = reflect.TypeFor[webhook.Texts]()
)

// decoder walks a YAML tree along a Go type. The YAML library's own strict
// mode knows neither the dotted key nor, for some errors, the line, and it
// stops at the first that it finds in each struct.
type decoder struct {
	getenv   func(string) (string, bool)
	lines    map[string]int // where each key stands
	problems []Problem
	// explained are keys that have a problem already, or that an unknown key
	// was probably meant to be: that they are also missing is no news.
	explained map[string]bool
	broken    bool // too little was understood for checking to make sense
	inAlias   int  // depth
	aliased   int  // values reached through aliases
}

// bad records a problem with the value of key.
func (d *decoder) bad(key, format string, args ...any) {
	d.badAt(d.lines[key], key, format, args...)
	d.explained[key] = true
}

func (d *decoder) badAt(line int, key, format string, args ...any) {
	d.problems = append(d.problems, Problem{Line: line, Key: key, Message: fmt.Sprintf(format, args...)})
}

// isExplained reports whether the key, or one around it, has a problem that
// makes another one a mere consequence.
func (d *decoder) isExplained(key string) bool {
	for key != "" && !d.explained[key] {
		key = outer(key)
	}
	return key != ""
}

// value sets v, which holds the default, from n.
func (d *decoder) value(n *yaml.Node, key string, v reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
		d.inAlias++
		defer func() { d.inAlias-- }()
	}
	if d.inAlias > 0 {
		if d.aliased++; d.aliased > maxAliased {
			if d.aliased == maxAliased+1 {
				d.bad(key, "aliases stand for more than %d values", maxAliased)
				d.broken = true
			}
			return
		}
	}
	if n.Style&yaml.TaggedStyle != 0 {
		d.bad(key, "must not have a YAML tag (%s)", n.Tag)
		return
	}
	switch t := v.Type(); {
	case t == secretsType && n.Kind == yaml.ScalarNode:
		var one storage.Secret
		d.scalar(n, key, reflect.ValueOf(&one).Elem())
		v.Set(reflect.ValueOf(Secrets{one}))
	case t == textsType && n.Kind == yaml.ScalarNode:
		var one string
		d.scalar(n, key, reflect.ValueOf(&one).Elem())
		v.Set(reflect.ValueOf(webhook.Texts{one}))
	case isText(v) || t == durationType:
		d.scalar(n, key, v)
	case t.Kind() == reflect.Interface:
		d.free(n, key, v)
	case t.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		d.value(n, key, v.Elem())
	case t.Kind() == reflect.Struct:
		if d.collection(n, key, yaml.MappingNode, "must be keys with values") {
			d.fields(n, key, v)
		}
	case t.Kind() == reflect.Map:
		if d.collection(n, key, yaml.MappingNode, "must be names with values") {
			d.entries(n, key, v)
		}
	case t.Kind() == reflect.Slice:
		message := "must be a list"
		if t == textsType {
			message = "must be a list, or a text in quotes"
		}
		if d.collection(n, key, yaml.SequenceNode, message) {
			d.items(n, key, v)
		}
	default:
		d.scalar(n, key, v)
	}
}

// collection reports whether n can be walked. A key with nothing after it, as
// when all its entries are commented out, leaves the default.
func (d *decoder) collection(n *yaml.Node, key string, want yaml.Kind, message string) bool {
	if n.Kind != want && !isNull(n) {
		d.bad(key, "%s", message)
	}
	return n.Kind == want
}

func (d *decoder) fields(n *yaml.Node, key string, v reflect.Value) {
	known := keysOf(v.Type())
	d.pairs(n, key, func(name, child string, value *yaml.Node) {
		if slices.Contains(known, name) {
			d.value(value, child, v.Field(slices.Index(known, name)))
		} else if near := suggest(name, known); near != "" {
			d.bad(child, "unknown key, did you mean %q?", near)
			d.explained[join(key, near)] = true
		} else {
			d.bad(child, "unknown key; known here: %s", strings.Join(known, ", "))
		}
	})
}

func (d *decoder) entries(n *yaml.Node, key string, v reflect.Value) {
	t := v.Type()
	v.Set(reflect.MakeMap(t))
	d.pairs(n, key, func(name, child string, value *yaml.Node) {
		entry := reflect.New(t.Elem()).Elem()
		switch t.Elem() {
		case sourceType:
			entry.Set(reflect.ValueOf(source.DefaultConfig()))
		case originType:
			entry.Set(reflect.ValueOf(origin.DefaultConfig()))
		}
		d.value(value, child, entry)
		v.SetMapIndex(reflect.ValueOf(name), entry)
	})
}

func (d *decoder) items(n *yaml.Node, key string, v reflect.Value) {
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		child := fmt.Sprintf("%s[%d]", key, i)
		d.lines[child] = item.Line
		d.value(item, child, v.Index(i))
	}
}

// pairs calls f for each key of a mapping that is a plain name and stands
// there for the first time.
func (d *decoder) pairs(n *yaml.Node, key string, f func(name, child string, value *yaml.Node)) {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content) && len(d.problems) <= maxProblems; i += 2 {
		k, value := n.Content[i], n.Content[i+1]
		child := join(key, k.Value)
		switch first, again := seen[k.Value]; {
		case k.Kind != yaml.ScalarNode || k.Style&yaml.TaggedStyle != 0:
			d.badAt(k.Line, key, "holds a key that is no plain name")
		case k.Tag == "!!merge":
			d.badAt(k.Line, child, "merging is not supported; repeat the keys")
		case again:
			d.badAt(k.Line, child, "stands here for the second time, first on line %d", first)
		default:
			seen[k.Value] = k.Line
			d.lines[child] = k.Line
			f(k.Value, child, value)
		}
	}
}

// scalar sets v from a single value. Messages never hold the value: it may
// have come from the environment and be secret.
func (d *decoder) scalar(n *yaml.Node, key string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.bad(key, "must be %s, not a list or keys; quote a value that starts with { or [", meaning(v))
		return
	}
	if isNull(n) {
		d.bad(key, "has no value; write one or leave the key out")
		return
	}
	text, wrong := substitute(n.Value, d.getenv, v.Type() == secretType)
	for _, w := range wrong {
		d.bad(key, "%s", w)
	}
	if wrong != nil {
		return
	}
	if err := setScalar(v, text); err != nil && text == n.Value && isText(v) {
		d.bad(key, "%s", err)
	} else if err != nil {
		d.bad(key, "must be %s", meaning(v))
	}
}

func setScalar(v reflect.Value, text string) error {
	if isText(v) {
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	}
	switch {
	case v.Type() == durationType:
		n, err := time.ParseDuration(text)
		v.SetInt(int64(n))
		return err
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case v.CanFloat():
		n, err := strconv.ParseFloat(text, 64)
		v.SetFloat(n)
		return err
	case v.Kind() == reflect.Bool:
		v.SetBool(text == "true")
		if text != "true" && text != "false" {
			return strconv.ErrSyntax
		}
		return nil
	case v.Kind() == reflect.String:
		v.SetString(text)
		return nil
	}
	return fmt.Errorf("read a %s", v.Type()) // a test reads every key there is
}

// meaning says what kind of value v takes.
func meaning(v reflect.Value) string {
	switch {
	case v.Type() == durationType:
		return "a duration such as 10s"
	case v.CanInt():
		return "a whole number"
	case v.CanFloat() && !isText(v):
		return "a number"
	case v.Kind() == reflect.Bool:
		return "true or false"
	}
	return "text"
}

func isText(v reflect.Value) bool {
	return v.CanAddr() && v.Addr().Type().Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// keysOf returns the YAML keys of a struct, in the order of its fields; those
// without a key stand at its end.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

var plainName = regexp.MustCompile(`^[\w-]+$`)

// join makes a dotted key, quoting a name that would make it ambiguous.
func join(key, name string) string {
	if !plainName.MatchString(name) {
		name = strconv.Quote(name)
	}
	if key == "" {
		return name
	}
	return key + "." + name
}

// outer returns the key around a dotted key, "" for the outermost.
func outer(key string) string { return key[:max(strings.LastIndexAny(key, ".["), 0)] }
