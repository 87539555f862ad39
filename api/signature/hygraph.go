package signature

import "strings"

// hygraphText returns what Hygraph signs: a JSON document of the body as a
// string, the environment and the time, as JavaScript writes it. Go's own
// encoder escapes more.
func hygraphText(r Request, stamp string, parts []string) [][]byte {
	environment := ""
	for _, part := range parts {
		if name, ok := strings.CutPrefix(part, "env="); ok {
			environment = name
		}
	}
	// A second one is signed as little as the first: only one of them fits.
	before := []byte(`{"Body":"`)
	after := appendEscaped([]byte(`","EnvironmentName":"`), []byte(environment))
	after = append(after, `","TimeStamp":`+stamp+`}`...)
	return [][]byte{before, appendEscaped(nil, r.Body), after}
}

// appendEscaped appends a text as it stands within a string of JSON that
// JavaScript has written.
func appendEscaped(b, text []byte) []byte {
	const digits = "0123456789abcdef"
	short := [...]byte{'\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r'}
	for _, char := range text {
		switch {
		case char == '"' || char == '\\':
			b = append(b, '\\', char)
		case int(char) < len(short) && short[char] != 0:
			b = append(b, '\\', short[char])
		case char < ' ':
			b = append(b, '\\', 'u', '0', '0', digits[char>>4], digits[char&15])
		default:
			b = append(b, char)
		}
	}
	return b
}
