// Package expression reads strings with {…} in them, the one small language
// of rebake.yaml: "post:{post.id}", "/posts?slug={slug}".
//
// Everything that can be wrong about a text without its data (syntax, unknown
// names) is an error when the text is parsed, so a bad configuration is found
// at start. What is written is the operator's; only the values are somebody
// else's, and they are never read as expressions.
//
// It does not say what the names mean, and it has no loops without an end.
//
// BUG(expression): a run is bounded in the items that it makes, and not in time
// or in the length of its texts. Nested loops over lists of thousands of items
// can take a second, and no context stops them; a long text that is put before
// each item takes its room so many times. Who evaluates what strangers send
// bounds their lists and texts first.
package expression

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

const (
	maxNodes     = 500 // of one expression, when it is parsed
	memoryBudget = 1e5 // of one run, in the library's own unit: items made
)

// Text is a parsed string. Safe for concurrent use.
type Text struct {
	source string
	parts  []part
}

// part is literal text, or an expression.
type part struct {
	literal string
	source  string      // of the expression, without its braces
	program *vm.Program // nil for literal text
	names   []string    // that an open expression uses
}

// Parse compiles every {…} in text, which may use the names in vars and no
// others. {{ and }} are literal braces. All problems are returned, joined.
func Parse(text string, vars []string) (*Text, error) {
	return parse(text, compileClosed(vars), func(err error) string { return explain(err, vars) })
}

// ParseClosed compiles a single expression, without braces around it, which
// may use the names in vars and no others: `body.event == "publish"`.
func ParseClosed(source string, vars []string) (*Value, error) {
	if strings.TrimSpace(source) == "" {
		return nil, errors.New("holds no expression")
	}
	p, err := compileClosed(vars)(source)
	if err != nil {
		return nil, errors.New(explain(err, vars))
	}
	return &Value{p}, nil
}

func compileClosed(vars []string) func(string) (part, error) {
	env := types.Map{}
	for _, name := range vars {
		env[name] = types.Any
	}
	return func(source string) (part, error) {
		program, err := expr.Compile(source, options(env)...)
		return part{source: source, program: program}, err
	}
}

// options are those of every expression. The library's own string() makes
// "map[a:1]" of a map and "<nil>" of null, which would pass for text.
func options(env types.Map) []expr.Option {
	text := func(args ...any) (any, error) {
		if args[0] == nil {
			return nil, errors.New("string() of null; write ?? where a value may be missing")
		}
		s, err := show(args[0])
		if err != nil {
			return nil, fmt.Errorf("string(): its argument %w", err)
		}
		return s, nil
	}
	return []expr.Option{expr.Env(env), expr.MaxNodes(maxNodes), expr.Function("string", text, new(func(any) string))}
}

func parse(text string, compile func(string) (part, error), explain func(error) string) (*Text, error) {
	parts, err := split(text)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, p := range parts {
		if p.source == "" {
			continue
		}
		if parts[i], err = compile(p.source); err != nil {
			errs = append(errs, fmt.Errorf("{%s}: %s", p.source, explain(err)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Text{source: text, parts: parts}, nil
}

// String returns the text as it was written.
func (t *Text) String() string { return t.source }

// Eval puts the value of each expression in its place. It reports false when
// one of them is null: then the text says nothing, and its entry is dropped.
// Strings, numbers and booleans have a place in a text; a list or a map is an
// error.
func (t *Text) Eval(env map[string]any) (string, bool, error) {
	return t.eval(env, func(s string) string { return s })
}

// EvalValue is Eval for a place that takes more than text: a text that is one
// expression and nothing else keeps the type of its value, be it a list.
func (t *Text) EvalValue(env map[string]any) (any, bool, error) {
	if len(t.parts) == 1 && t.parts[0].program != nil {
		v, err := t.parts[0].run(env)
		return v, v != nil && err == nil, err
	}
	return t.Eval(env)
}

// EvalURL is Eval with each value, but not the text around it, escaped so that
// it stays one segment or one value wherever in a URL it stands.
func (t *Text) EvalURL(env map[string]any) (string, bool, error) {
	return t.eval(env, escape)
}

// escape writes a space as %20, since + is a plus sign in a URL's path.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func (t *Text) eval(env map[string]any, encode func(string) string) (string, bool, error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.program == nil {
			b.WriteString(p.literal)
			continue
		}
		v, err := p.run(env)
		if err != nil {
			return "", false, err
		}
		if v == nil {
			return "", false, nil
		}
		s, err := show(v)
		if err != nil {
			return "", false, fmt.Errorf("{%s}: %w", p.source, err)
		}
		b.WriteString(encode(s))
	}
	return b.String(), true, nil
}

// show writes a value as people write it: 12345678, never 1.2345678e+07.
func show(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number: // an integer too large for int
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprint(v), nil
	case float32:
		return showFloat(float64(v), 32)
	case float64:
		return showFloat(v, 64)
	case map[string]any:
		return "", errors.New("gives a map; name one of its fields")
	case []any:
		return "", errors.New("gives a list; name one of its items, or join them")
	}
	return "", fmt.Errorf("gives a %T; only strings, numbers and booleans can stand in a text", v)
}

func showFloat(f float64, bits int) (string, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", errors.New("gives a number that is not finite")
	}
	return strconv.FormatFloat(f, 'f', -1, bits), nil
}

// explain puts an error of the library, which comes with a drawing over
// several lines, into one line.
func explain(err error, vars []string) string {
	msg := err.Error()
	var at *file.Error
	if errors.As(err, &at) {
		msg = at.Message
	}
	if vars != nil && strings.HasPrefix(msg, "unknown name") {
		known := slices.Sorted(slices.Values(vars))
		msg += " (known: " + strings.Join(known, ", ") + ")"
	}
	if strings.HasSuffix(msg, "from <nil>") {
		msg += "; write ?. where a value may be missing"
	}
	return msg
}
