package config

import (
	"fmt"
	"strings"
)

// substitute puts environment variables in the place of each ${NAME} in a
// value; $${ stands for ${ itself. It works on parsed values, and what it puts
// in is not looked at again, so a variable can hold anything. The second
// result names what was wrong with each reference.
func substitute(s string, getenv func(string) (string, bool), secret bool) (string, []string) {
	var out strings.Builder
	var wrong []string
	for s != "" {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		s = s[i:]
		switch {
		case strings.HasPrefix(s, "$${"):
			out.WriteString("${")
			s = s[len("$${"):]
		case strings.HasPrefix(s, "${"):
			name, rest, closed := strings.Cut(s[len("${"):], "}")
			if !closed || !isName(name) {
				wrong = append(wrong, "${ must be followed by the name of an environment variable and }; write $${ for ${ itself")
				return "", wrong
			}
			value, ok := getenv(name)
			switch {
			case !ok:
				wrong = append(wrong, fmt.Sprintf("the environment variable %s is not set", name))
			case value == "" && secret:
				wrong = append(wrong, fmt.Sprintf("the environment variable %s is empty", name))
			}
			out.WriteString(value)
			s = rest
		default:
			out.WriteByte('$')
			s = s[1:]
		}
	}
	out.WriteString(s)
	return out.String(), wrong
}

// isName reports whether s can name an environment variable.
func isName(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
