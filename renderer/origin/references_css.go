package origin

import "bytes"

// cssAddresses calls f for the addresses in a style sheet: url(…) and @import.
func cssAddresses(text []byte, f func(string)) {
	s := cssScanner{text: text}
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case s.starts("/*"):
			s.skipPast("*/")
		case c == '"' || c == '\'':
			s.quoted()
		case c == '\\':
			s.at += 2
		case s.starts("@import"):
			s.at += len("@import")
			if s.skipSpace(); s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\'') {
				f(s.quoted())
			}
		case s.starts("url(") && (s.at == 0 || !isIdent(s.text[s.at-1])):
			s.at += len("url(")
			f(s.address())
		default:
			s.at++
		}
	}
}

// cssScanner goes through a style sheet.
type cssScanner struct {
	text []byte
	at   int // may be past the end, after a backslash there
}

func (s *cssScanner) starts(word string) bool {
	return len(s.text)-s.at >= len(word) && bytes.EqualFold(s.text[s.at:s.at+len(word)], []byte(word))
}

func (s *cssScanner) skipPast(word string) {
	s.at += 2 // "/*/" is no whole comment
	if s.at > len(s.text) {
		s.at = len(s.text)
	}
	if i := bytes.Index(s.text[s.at:], []byte(word)); i >= 0 {
		s.at += i + len(word)
		return
	}
	s.at = len(s.text)
}

func (s *cssScanner) skipSpace() {
	for s.at < len(s.text) && isSpace(s.text[s.at]) {
		s.at++
	}
}

// address reads what stands between the brackets of url(…).
func (s *cssScanner) address() string {
	s.skipSpace()
	if s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\'') {
		return s.quoted()
	}
	return s.until(func(c byte) bool { return c == ')' || isSpace(c) })
}

// quoted reads a string, of which the scanner stands at the first quote.
func (s *cssScanner) quoted() string {
	quote := s.text[s.at]
	s.at++
	text := s.until(func(c byte) bool { return c == quote || c == '\n' })
	s.at++
	return text
}

// until reads up to an end, and takes the backslashes out.
func (s *cssScanner) until(end func(byte) bool) string {
	var out []byte
	for s.at < len(s.text) && !end(s.text[s.at]) {
		if s.text[s.at] != '\\' {
			out = append(out, s.text[s.at])
			s.at++
			continue
		}
		out = append(out, s.escaped()...)
	}
	return string(out)
}

// escaped reads what follows a backslash: a character by its number in
// hexadecimal digits, or the character itself.
func (s *cssScanner) escaped() string {
	s.at++
	var number rune
	digits := 0
	for ; digits < 6 && s.at < len(s.text); digits++ {
		d := bytes.IndexByte([]byte("0123456789abcdef"), s.text[s.at]|0x20)
		if d < 0 || s.text[s.at] < '0' {
			break
		}
		number = number<<4 | rune(d)
		s.at++
	}
	switch {
	case digits > 0:
		if s.at < len(s.text) && isSpace(s.text[s.at]) {
			s.at++
		}
		return string(number)
	case s.at >= len(s.text):
		return ""
	}
	s.at++
	if s.text[s.at-1] == '\n' { // the line goes on
		return ""
	}
	return string(s.text[s.at-1 : s.at])
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' }

func isIdent(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c >= 0x80
}
