package expression

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// ParseOpen is Parse for data whose names are not known before it is there: a
// name that the data does not have is null. A misspelt one is not found then,
// so it is for the items of other people's lists and for nothing else.
func ParseOpen(text string) (*Text, error) {
	return parse(text, compileOpen, func(err error) string { return explain(err, nil) })
}

// Value is a single expression, without braces around it. Safe for concurrent
// use.
type Value struct{ part part }

// ParseValue compiles an expression over open names, such as
// "meta.pagination.pageCount".
func ParseValue(source string) (*Value, error) {
	if strings.TrimSpace(source) == "" {
		return nil, errors.New("holds no expression")
	}
	p, err := compileOpen(source)
	if err != nil {
		return nil, errors.New(explain(err, nil))
	}
	return &Value{p}, nil
}

// String returns the expression as it was written.
func (v *Value) String() string { return v.part.source }

// Eval returns what the expression gives, nil for null.
func (v *Value) Eval(env map[string]any) (any, error) { return v.part.run(env) }

// Missing returns a name that the expression uses and env does not have, ""
// for none. A null that comes from it says nothing about the data: the name
// may be misspelt.
func (v *Value) Missing(env map[string]any) string { return v.part.missing(env) }

// Missing is the same for a text of ParseOpen.
func (t *Text) Missing(env map[string]any) string {
	for _, p := range t.parts {
		if name := p.missing(env); name != "" {
			return name
		}
	}
	return ""
}

func (p part) missing(env map[string]any) string {
	for _, name := range p.names {
		if _, has := env[name]; !has {
			return name
		}
	}
	return ""
}

// Open returns what an open expression over v may name: the fields of v, where
// it is an object, and v itself by each of the names, which come before a
// field that is called the same.
func Open(v any, names ...string) map[string]any {
	env := map[string]any{}
	if fields, ok := v.(map[string]any); ok {
		env = maps.Clone(fields)
	}
	for _, name := range names {
		env[name] = v
	}
	return env
}

// compileOpen declares every name that the expression uses. The library could
// allow undeclared ones by itself, but takes a field called type, date or
// count for its function of that name.
func compileOpen(source string) (part, error) {
	p := part{source: source}
	tree, err := parser.Parse(source)
	if err != nil {
		return p, err
	}
	used := &names{calls: map[ast.Node]bool{}, own: map[string]bool{}}
	ast.Walk(&tree.Node, used)
	env := types.Map{}
	for _, n := range used.found {
		if !used.calls[n] && !used.own[n.Value] {
			env[n.Value] = types.Any
			p.names = append(p.names, n.Value)
		}
	}
	p.program, err = expr.Compile(source, options(env)...)
	return p, err
}

// names collects the identifiers of an expression.
type names struct {
	found []*ast.IdentifierNode
	calls map[ast.Node]bool // names of functions
	own   map[string]bool   // declared by let
}

// Visit is called for each node, innermost first.
func (s *names) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		s.found = append(s.found, n)
	case *ast.CallNode:
		s.calls[n.Callee] = true
	case *ast.VariableDeclaratorNode:
		s.own[n.Name] = true
	}
}

// run executes one expression; parts of literal text have none.
func (p part) run(env map[string]any) (any, error) {
	machine := vm.VM{MemoryBudget: memoryBudget}
	v, err := machine.Run(p.program, env)
	if err != nil {
		return nil, fmt.Errorf("{%s}: %s", p.source, explain(err, nil))
	}
	return v, nil
}
