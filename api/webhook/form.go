package webhook

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// decodeForm makes an object of a form's fields: text, or a list where one is
// there several times. PHP writes objects as a[b]=1, and lists as a[]=1&a[]=2.
func decodeForm(text string) (any, error) {
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, unreadable("the form is damaged")
	}
	fields := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(form)) { // a before a[b]
		values := form[name]
		var v any = values[0]
		if len(values) > 1 || strings.HasSuffix(name, "[]") {
			list := make([]any, len(values))
			for i, text := range values {
				list[i] = text
			}
			v = list
		}
		if !put(fields, steps(name), v) {
			fields[name] = v
		}
	}
	return fields, nil
}

// mostSteps is how deep an object in a form may lie.
const mostSteps = 10

// steps returns a and b of "a[b]"; of a name that is not written so, the name.
func steps(name string) []string {
	first, rest, isPath := strings.Cut(strings.TrimSuffix(name, "[]"), "[")
	if !isPath {
		return []string{first}
	}
	inner, closed := strings.CutSuffix(rest, "]")
	path := append([]string{first}, strings.Split(inner, "][")...)
	if !closed || len(path) > mostSteps || slices.ContainsFunc(path, func(step string) bool { return step == "" || strings.ContainsAny(step, "[]") }) {
		return []string{name}
	}
	return path
}

// put puts a value where a path leads, and reports false when something else is
// there, or on the way.
func put(fields map[string]any, path []string, v any) bool {
	for _, step := range path[:len(path)-1] {
		if fields[step] == nil {
			fields[step] = map[string]any{}
		}
		inner, isObject := fields[step].(map[string]any)
		if !isObject {
			return false
		}
		fields = inner
	}
	last := path[len(path)-1]
	if fields[last] != nil {
		return false
	}
	fields[last] = v
	return true
}
