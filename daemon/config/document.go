package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDocument is the largest file that is read, in bytes.
const maxDocument = 1 << 20

// parse reads a file of one YAML document. The node is nil for an empty file.
// The problem, if any, has no file yet.
func parse(data []byte) (*yaml.Node, *Problem) {
	if len(data) > maxDocument {
		return nil, &Problem{Message: fmt.Sprintf("larger than %d bytes", maxDocument)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxProblem(err)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, &Problem{Line: second.Line, Message: "a second document starts here (---); one file is one site"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(err)
	}
	root := doc.Content[0]
	if isNull(root) {
		return nil, nil
	}
	return root, nil
}

var yamlMessage = regexp.MustCompile(`^yaml: (?:line (\d+): )?((?s).*)$`)

// syntaxProblem makes a problem of the YAML library's message, with a hint
// where the message does not say what people commonly did.
func syntaxProblem(err error) *Problem {
	p := &Problem{Message: err.Error()}
	if m := yamlMessage.FindStringSubmatch(p.Message); m != nil {
		p.Line, _ = strconv.Atoi(m[1]) // 0 without a line
		p.Message = m[2]
	}
	for message, hint := range syntaxHints {
		if strings.Contains(p.Message, message) {
			p.Message += hint
		}
	}
	if parserMessage.MatchString(p.Message) {
		p.Line++
		p.Message = "not YAML at or after this line: " + p.Message
	} else {
		p.Message = "not YAML: " + p.Message
	}
	return p
}

// parserMessage matches the messages of the library's parser, not its scanner.
// They count lines from 0, and often name the line where the list or mapping
// around the fault starts.
var parserMessage = regexp.MustCompile(`^did not find expected (',|'-'|<|key|node)`)

var syntaxHints = map[string]string{
	"cannot start any token":            " (indent with spaces, not tabs; quote a value that starts with %, @ or `)",
	"did not find expected ',' or '}'":  " (inside { … }, quote a value that holds {, }, [, ] or a comma)",
	"mapping values are not allowed":    " (quote a value that holds a colon and a space)",
	"did not find expected '-' indicat": " (the entries of a list must be indented alike)",
}
