package setup

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"rebake/daemon/setup/setuptest"
	"rebake/renderer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// told are the lines that a look has told.
type told []string

func (t *told) tell(name, format string, args ...any) {
	*t = append(*t, name+" "+fmt.Sprintf(format, args...))
}

func (t *told) String() string { return strings.Join(*t, "\n") }

// look looks at a site that has to be one.
func look(t *testing.T, w Wish) (*Site, *told) {
	t.Helper()
	lines := &told{}
	s, err := Look(t.Context(), w, lines.tell)
	if err != nil {
		t.Fatalf("Look: %v\n%s", err, lines)
	}
	return s, lines
}

// lookError looks at what is none.
func lookError(t *testing.T, w Wish) string {
	t.Helper()
	s, err := Look(t.Context(), w, (&told{}).tell)
	if err == nil {
		t.Fatalf("Look found %+v, want an error", s)
	}
	return err.Error()
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	return setuptest.Serve(h, t.Cleanup)
}

// redirecting sends the paths that it has elsewhere, and all else on.
type redirecting struct {
	to   map[string]string
	next http.Handler
}

func (r redirecting) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if to := r.to[req.URL.Path]; to != "" {
		http.Redirect(w, req, to, http.StatusFound)
		return
	}
	r.next.ServeHTTP(w, req)
}

func none(context.Context) error { return nil }

// collect keeps the paths of what a list names.
func collect(paths *[]string) func(context.Context, []renderer.Match) error {
	return func(_ context.Context, matches []renderer.Match) error {
		for _, m := range matches {
			*paths = append(*paths, m.Path.String())
		}
		return nil
	}
}
