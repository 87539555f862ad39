package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the file, or that could be better.
type Problem struct {
	File    string // as it was given to Load; "" for a Config made in code
	Line    int    // counted from 1; 0 when the key is not in the file
	Key     string // dotted, "routes[1].data.post.get"; "" for the whole file
	Message string
}

// String returns "rebake.yaml:12: sources.cms.url: must be …", less what is
// not known.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	for _, part := range []string{p.Key, p.Message} {
		if b.Len() > 0 && part != "" {
			b.WriteString(": ")
		}
		b.WriteString(part)
	}
	return b.String()
}

// Error is everything that is wrong with the file, in the order of its lines.
type Error struct {
	Problems []Problem
}

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// asError returns the problems as an *Error, nil when there are none.
// Problems without a line come first: they are about what is missing.
func asError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	if len(problems) > maxProblems {
		last := Problem{File: problems[0].File, Message: "more problems follow; mend these first"}
		problems = append(problems[:maxProblems:maxProblems], last)
	}
	return &Error{Problems: problems}
}

// place is where a Config came from.
type place struct {
	file  string
	lines map[string]int // by dotted key
}

// Locate returns where a dotted key stands in the file: its own line, else
// that of the nearest key around it, else 0.
func (c *Config) Locate(key string) (file string, line int) {
	for key != "" {
		if line, ok := c.place.lines[key]; ok {
			return c.place.file, line
		}
		key = outer(key)
	}
	return c.place.file, 0
}

// problem returns a problem at the key's place.
func (c *Config) problem(key, message string) Problem {
	file, line := c.Locate(key)
	return Problem{File: file, Line: line, Key: key, Message: message}
}

// Wrap turns an error about the config, or several of them joined, into an
// *Error whose problems are located by the keys that lead their messages
// ("routes[1].data.post.get: …"). It returns nil for nil.
func (c *Config) Wrap(err error) error {
	var problems []Problem
	for _, leaf := range split(err) {
		var located *Error
		if errors.As(leaf, &located) {
			problems = append(problems, located.Problems...)
			continue
		}
		key, message := splitKey(leaf.Error())
		problems = append(problems, c.problem(key, message))
	}
	return asError(problems)
}

// split takes joined errors apart. An error that only wraps several others
// inside a text of its own stays whole.
func split(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || errors.Join(joined.Unwrap()...).Error() != err.Error() {
		return []error{err}
	}
	var leaves []error
	for _, e := range joined.Unwrap() {
		leaves = append(leaves, split(e)...)
	}
	return leaves
}

// leadingKey matches "routes[1].data.post.get: ", also with quoted names.
var leadingKey = regexp.MustCompile(`^([a-z_]+)(?:\.(?:[\w-]+|"(?:[^"\\]|\\.)*")|\[\d+\])*: `)

// splitKey takes the key off the front of a message; the key is "" when the
// message does not start with one of the file's keys.
func splitKey(message string) (key, rest string) {
	m := leadingKey.FindStringSubmatch(message)
	if m == nil || !slices.Contains(keysOf(configType), m[1]) {
		return "", message
	}
	return strings.TrimSuffix(m[0], ": "), message[len(m[0]):]
}
