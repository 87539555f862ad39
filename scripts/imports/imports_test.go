// Package imports holds the direction of imports: a floor of the tower
// imports only floors below it. It is a test and nothing else.
package imports

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "rebake"

// tower lists the floors from the ground up.
var tower = []string{"storage", "renderer", "worker", "api", "daemon"}

// confined are import paths, with all below them, and the only floor that may
// import them; "" is none.
var confined = []struct{ path, floor, why string }{
	{"github.com/hibiken", "worker", "the rest of the program knows triggers, not asynq"},
	{"github.com/gorilla/mux", "api", "everything else is an http.Handler"},
	{"github.com/google/renameio", "storage", "only storage publishes files"},
	{"net/http/pprof", "", "it opens itself on the default mux"},
}

func TestImportDirection(t *testing.T) {
	imports := list(t, "../..")
	if len(imports) < 2 {
		t.Fatalf("found only %d packages in the module", len(imports))
	}
	for _, p := range problems(imports) {
		t.Error(p)
	}
}

// list returns what each package of the module at root imports, its tests
// included. It reads the files itself: go list would leave out the files of
// other systems, and the test cache does not see what a child reads, so that
// a good result would outlive a bad import.
func list(t *testing.T, root string) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (d.Name() == "testdata" || strings.ContainsAny(d.Name()[:1], "._")):
			return filepath.SkipDir // as the go command does
		case d.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		pkg := path.Join(module, filepath.ToSlash(dir))
		list := imports[pkg]
		for _, spec := range file.Imports {
			list = append(list, strings.Trim(spec.Path.Value, "`\""))
		}
		imports[pkg] = list // a package without imports has a floor too
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return imports
}

// problems returns what is wrong with the imports of each package, sorted.
func problems(imports map[string][]string) []string {
	var found []string
	for pkg, list := range imports {
		from := floor(pkg)
		if from != "scripts" && !slices.Contains(tower, from) {
			found = append(found, fmt.Sprintf("%s is on no floor of the tower: %s", short(pkg), strings.Join(tower, " < ")))
		}
		for _, imp := range list {
			if to := floor(imp); within(imp, module) && upward(from, to) {
				found = append(found, fmt.Sprintf("%s imports %s: move it up, or move what it needs down", short(pkg), short(imp)))
			}
			for _, c := range confined {
				if within(imp, c.path) && (c.floor == "" || from != c.floor) {
					found = append(found, fmt.Sprintf("%s imports %s: %s", short(pkg), imp, c.why))
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found) // a package and its test may do the same wrong
}

// upward reports whether an import goes to a higher floor. The scripts are
// outside: they may import every floor, and no floor imports them.
func upward(from, to string) bool {
	return from != "scripts" && (to == "scripts" || slices.Index(tower, to) > slices.Index(tower, from))
}

// floor returns the first segment below the module, "" for its root.
func floor(pkg string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/"), "/")
	return name
}

func short(pkg string) string { return strings.TrimPrefix(pkg, module+"/") }

func within(pkg, path string) bool { return pkg == path || strings.HasPrefix(pkg, path+"/") }

func TestProblems(t *testing.T) {
	tests := []struct {
		name    string
		pkg     string
		imports []string
		want    []string
	}{
		{"downward", "rebake/worker", []string{"rebake/renderer", "rebake/storage/ledger", "fmt"}, nil},
		{"on one floor", "rebake/storage/ledger", []string{"rebake/storage"}, nil},
		{"scripts on everything", "rebake/scripts/bench", []string{"rebake/daemon", "rebake/storage"}, nil},
		{"upward", "rebake/storage", []string{"rebake/worker"},
			[]string{"storage imports worker: move it up, or move what it needs down"}},
		{"upward from a room", "rebake/renderer/source", []string{"rebake/api/webhook"},
			[]string{"renderer/source imports api/webhook: move it up, or move what it needs down"}},
		{"twice the same", "rebake/api", []string{"rebake/daemon", "rebake/daemon"},
			[]string{"api imports daemon: move it up, or move what it needs down"}},
		{"into the scripts", "rebake/daemon", []string{"rebake/scripts/imports"},
			[]string{"daemon imports scripts/imports: move it up, or move what it needs down"}},
		{"no floor", "rebake/util", nil,
			[]string{"util is on no floor of the tower: storage < renderer < worker < api < daemon"}},
		{"module root", "rebake", nil,
			[]string{"rebake is on no floor of the tower: storage < renderer < worker < api < daemon"}},
		{"asynq in worker", "rebake/worker", []string{"github.com/hibiken/asynq", "github.com/hibiken/asynqmon"}, nil},
		{"asynq elsewhere", "rebake/daemon", []string{"github.com/hibiken/asynq"},
			[]string{"daemon imports github.com/hibiken/asynq: the rest of the program knows triggers, not asynq"}},
		{"asynqmon elsewhere", "rebake/api", []string{"github.com/hibiken/asynqmon"},
			[]string{"api imports github.com/hibiken/asynqmon: the rest of the program knows triggers, not asynq"}},
		{"mux in api", "rebake/api", []string{"github.com/gorilla/mux"}, nil},
		{"mux elsewhere", "rebake/daemon", []string{"github.com/gorilla/mux"},
			[]string{"daemon imports github.com/gorilla/mux: everything else is an http.Handler"}},
		{"renameio in storage", "rebake/storage/site", []string{"github.com/google/renameio/v2"}, nil},
		{"renameio elsewhere", "rebake/worker", []string{"github.com/google/renameio/v2"},
			[]string{"worker imports github.com/google/renameio/v2: only storage publishes files"}},
		{"pprof", "rebake/scripts/bench", []string{"net/http/pprof"},
			[]string{"scripts/bench imports net/http/pprof: it opens itself on the default mux"}},
		{"foreign package of a floor's name", "rebake/storage", []string{"rebakery/worker", "example.com/daemon"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := problems(map[string][]string{tt.pkg: tt.imports})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}
