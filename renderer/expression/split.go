package expression

import (
	"errors"
	"fmt"
	"strings"
)

// split cuts a text into literal parts and the sources of its expressions.
func split(text string) ([]part, error) {
	var parts []part
	var literal strings.Builder
	for rest := text; rest != ""; {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			literal.WriteString(rest)
			break
		}
		literal.WriteString(rest[:i])
		brace := rest[i]
		rest = rest[i+1:]
		switch {
		case rest != "" && rest[0] == brace:
			literal.WriteByte(brace)
			rest = rest[1:]
			continue
		case brace == '}':
			return nil, errors.New("} without a {; write }} for the character itself")
		}
		end := closing(rest)
		if end < 0 {
			return nil, errors.New("{ without its }; write {{ for the character itself")
		}
		source := strings.TrimSpace(rest[:end])
		if source == "" {
			return nil, errors.New("{} holds no expression")
		}
		rest = rest[end+1:]
		if literal.Len() > 0 {
			parts = append(parts, part{literal: literal.String()})
			literal.Reset()
		}
		parts = append(parts, part{source: source})
	}
	if literal.Len() > 0 {
		parts = append(parts, part{literal: literal.String()})
	}
	return parts, nil
}

// closing returns where the brace is that ends the expression at the start of
// s, or -1. Braces of maps come in pairs; those in strings and comments do not
// count.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		case '"', '\'', '`':
			n := quoted(s[i+1:], c)
			if n < 0 {
				return -1
			}
			i += 1 + n
		case '/':
			n := comment(s[i:])
			if n < 0 {
				return -1
			}
			i += n
		}
	}
	return -1
}

// quoted returns where in s the next bare quote is, or -1.
func quoted(s string, quote byte) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i
		case s[i] == '\\' && quote != '`':
			i++
		}
	}
	return -1
}

// comment returns how many bytes after its first belong to the comment at the
// start of s, none when there is no comment, -1 when it does not end.
func comment(s string) int {
	var end string
	switch {
	case strings.HasPrefix(s, "//"):
		end = "\n"
	case strings.HasPrefix(s, "/*"):
		end = "*/"
	default:
		return 0
	}
	i := strings.Index(s[2:], end)
	if i < 0 {
		return -1
	}
	return 2 + i + len(end) - 1
}

// ValidName says why name can be no variable of an expression, nil if it can.
func ValidName(name string) error {
	for i, r := range name {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return fmt.Errorf("%q is no name: use letters, digits and _, and no digit first", name)
		}
	}
	if name == "" {
		return errors.New("a name is missing")
	}
	if keywords[name] {
		return fmt.Errorf("%q is a word of the expression language; take another name", name)
	}
	return nil
}

// keywords cannot be read as a variable, wherever they stand.
var keywords = map[string]bool{
	"true": true, "false": true, "nil": true, "not": true, "in": true, "or": true, "and": true,
	"matches": true, "contains": true, "startsWith": true, "endsWith": true, "let": true,
	"if": true, "else": true,
}
