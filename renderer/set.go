package renderer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// file is a parsed template file.
type file struct {
	name   string
	family family
	trees  map[string]*parse.Tree // the file itself, and its defines and blocks
	uses   []use                  // in a stable order
}

// use is a {{template}} or {{block}}.
type use struct {
	name string // that is used
	at   string // "post.html:3:12"
}

func newFile(name string, fam family, src string, funcs map[string]any) (*file, error) {
	t, err := template.New(name).Funcs(funcs).Parse(src)
	if err != nil {
		return nil, err
	}
	f := &file{name: name, family: fam, trees: map[string]*parse.Tree{}}
	for _, t := range t.Templates() {
		f.trees[t.Name()] = t.Tree
	}
	for _, n := range slices.Sorted(maps.Keys(f.trees)) {
		tree := f.trees[n]
		walk(tree.Root, func(n parse.Node) {
			if n, ok := n.(*parse.TemplateNode); ok {
				at, _ := tree.ErrorContext(n)
				f.uses = append(f.uses, use{n.Name, at})
			}
		})
	}
	return f, nil
}

// walk visits every node of a tree that writes, branches, or uses a template.
func walk(n parse.Node, visit func(parse.Node)) {
	branch := func(b *parse.BranchNode) {
		walk(b.List, visit)
		walk(b.ElseList, visit)
	}
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, n := range n.Nodes {
			walk(n, visit)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	default:
		visit(n)
	}
}

// set is everything that one page needs, and no more: two layouts may then
// have a block of the same name.
type set struct {
	trees map[string]*parse.Tree
	files []string // sorted
}

// collect follows what page uses, nearest first.
func collect(page *file, all map[string]*file) (set, error) {
	s := set{trees: map[string]*parse.Tree{}}
	var named, unnamed []use // by file, or by a define that is not seen yet
	var errs []error
	add := func(f *file) {
		s.files = append(s.files, f.name)
		for name, tree := range f.trees {
			if _, nearer := s.trees[name]; !nearer {
				s.trees[name] = tree
			}
		}
		for _, u := range f.uses {
			if all[u.name] != nil {
				named = append(named, u)
			} else {
				unnamed = append(unnamed, u)
			}
		}
	}
	add(page)
	for len(named)+len(unnamed) > 0 {
		var f *file
		var err error
		if len(named) > 0 {
			var u use
			u, named = named[0], named[1:]
			if _, have := s.trees[u.name]; have {
				continue
			}
			f, err = usable(u, page.family, all[u.name])
		} else {
			var u use
			u, unnamed = unnamed[0], unnamed[1:]
			if _, have := s.trees[u.name]; have {
				continue
			}
			f, err = definer(u, page.family, all)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		add(f)
	}
	slices.Sort(s.files)
	return s, errors.Join(errs...)
}

func usable(u use, fam family, f *file) (*file, error) {
	switch {
	case !isShared(f.name):
		return nil, fmt.Errorf("template: %s: %s is a page; what others use must be below layouts/ or partials/", u.at, f.name)
	case f.family != fam:
		return nil, fmt.Errorf("template: %s: %s is escaped as %s, and this page as %s", u.at, f.name, f.family, fam)
	}
	return f, nil
}

// definer finds the one shared file that defines what u uses.
func definer(u use, fam family, all map[string]*file) (*file, error) {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if f := all[name]; isShared(name) && f.family == fam && f.trees[u.name] != nil {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("template: %s: there is no template %q in this file, layouts/ or partials/", u.at, u.name)
	case 1:
		return all[found[0]], nil
	}
	return nil, fmt.Errorf("template: %s: %q is defined in %s; use one of them by its file name too",
		u.at, u.name, strings.Join(found, " and "))
}
