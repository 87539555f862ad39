package webhook

const (
	// mostItems is how long a list, and how large an object, may be for rules to
	// see it. A loop within a loop over two of them ends within seconds.
	mostItems = 10_000
	// mostText is how many bytes a text may have. No path, tag or URL is as long,
	// and put before each item of a list it takes that room so many times.
	mostText = 4096
)

// tooLong stands for a list, an object or a text that rules do not see. What a
// rule does with it fails: a func has no fields, no length and no elements. It
// is never nil, since something is there, and equal to nothing. Failures tell its
// name.
type tooLong func()

// bounded returns a decoded body as rules see it. The value itself is not
// changed: what the kind reads by itself has no limits.
func bounded(v any) any {
	if !exceeds(v) {
		return v
	}
	switch v := v.(type) {
	case string:
		return tooLong(func() {})
	case []any:
		if len(v) > mostItems {
			return tooLong(func() {})
		}
		list := make([]any, len(v))
		for i := range v {
			list[i] = bounded(v[i])
		}
		return list
	case map[string]any:
		if len(v) > mostItems {
			return tooLong(func() {})
		}
		fields := make(map[string]any, len(v))
		for name := range v {
			fields[name] = bounded(v[name])
		}
		return fields
	}
	return v
}

// exceeds reports whether anything in a value is more than rules may see.
func exceeds(v any) bool {
	switch v := v.(type) {
	case string:
		return len(v) > mostText
	case []any:
		if len(v) > mostItems {
			return true
		}
		for i := range v {
			if exceeds(v[i]) {
				return true
			}
		}
	case map[string]any:
		if len(v) > mostItems {
			return true
		}
		for name := range v {
			if exceeds(v[name]) {
				return true
			}
		}
	}
	return false
}
