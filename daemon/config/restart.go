package config

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
)

// live are the keys whose changes a running program takes over, as path.Match
// reads them, with / for the dots.
var live = []string{"secret", "secret_file", "webhooks", "sources/*/webhook", "origins/*/webhook"}

// RestartFor returns the keys in which another config differs that only a
// restart takes over, in the order of the file's.
func (c *Config) RestartFor(next *Config) []string {
	return differing("", reflect.ValueOf(c).Elem(), reflect.ValueOf(next).Elem())
}

func differing(key string, a, b reflect.Value) []string {
	isLive := func(pattern string) bool {
		ok, _ := path.Match(pattern, strings.ReplaceAll(key, ".", "/"))
		return ok
	}
	if slices.ContainsFunc(live, isLive) || key != "" && reflect.DeepEqual(a.Interface(), b.Interface()) {
		return nil
	}
	var keys []string
	switch {
	case a.Kind() == reflect.Struct && isSection(a.Type()):
		for i := range a.NumField() {
			if name, ok := yamlKey(a.Type().Field(i)); ok {
				keys = append(keys, differing(join(key, name), a.Field(i), b.Field(i))...)
			}
		}
	case a.Kind() == reflect.Map && a.Type().Key().Kind() == reflect.String:
		for _, name := range namesIn(a, b) {
			x, y := a.MapIndex(reflect.ValueOf(name)), b.MapIndex(reflect.ValueOf(name))
			if !x.IsValid() || !y.IsValid() {
				keys = append(keys, join(key, name))
				continue
			}
			keys = append(keys, differing(join(key, name), x, y)...)
		}
	case a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil():
		return differing(key, a.Elem(), b.Elem())
	case a.Kind() == reflect.Slice && a.Len() == b.Len() && a.Type().Elem().Kind() == reflect.Struct:
		for i := range a.Len() {
			keys = append(keys, differing(fmt.Sprintf("%s[%d]", key, i), a.Index(i), b.Index(i))...)
		}
	default:
		return []string{key}
	}
	return keys
}

// isSection reports whether a struct is one of keys, and not a value that is
// written in some other way.
func isSection(t reflect.Type) bool {
	for i := range t.NumField() {
		if _, ok := yamlKey(t.Field(i)); ok {
			return true
		}
	}
	return false
}

func yamlKey(f reflect.StructField) (string, bool) {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name, f.IsExported() && name != "" && name != "-"
}

// namesIn returns the keys of two maps, sorted.
func namesIn(a, b reflect.Value) []string {
	all := make(map[string]bool)
	for _, k := range slices.Concat(a.MapKeys(), b.MapKeys()) {
		all[k.String()] = true
	}
	return slices.Sorted(maps.Keys(all))
}
