package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// entry is one line of a Procfile.
type entry struct {
	name    string
	command string // for sh -c
}

var validEntry = regexp.MustCompile(`^([A-Za-z0-9_-]+):\s*(\S.*)$`)

// parse reads a Procfile: a line for each process, its name, a colon and its
// command. Empty lines and those that begin with # are comments. Errors name
// the line.
func parse(r io.Reader) ([]entry, error) {
	var entries []entry
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		m := validEntry.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("line %d: %q is no process; write it as NAME: COMMAND", n, line)
		}
		if slices.ContainsFunc(entries, named(m[1])) {
			return nil, fmt.Errorf("line %d: there is a %s already; give this one another name", n, m[1])
		}
		entries = append(entries, entry{m[1], m[2]})
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, errors.New("it names no process; write one as NAME: COMMAND")
	}
	return entries, nil
}

// choose returns the named entries in the order of the Procfile; without names
// all of them.
func choose(entries []entry, names []string) ([]entry, error) {
	if len(names) == 0 {
		return entries, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(entries, named(name)) {
			var known []string
			for _, e := range entries {
				known = append(known, e.name)
			}
			return nil, fmt.Errorf("%s: no such process in the Procfile; it has %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return !slices.Contains(names, e.name) }), nil
}

func named(name string) func(entry) bool { return func(e entry) bool { return e.name == name } }
