// Package scripts tests what the scripts set up, with the real programs, in a
// copy of the tree. It is a test and nothing else.
package scripts

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/daemon/config"
)

// It is one journey, in the README's order: each step needs the one before.
func TestSetup_AndTheProcfileRunTheSite(t *testing.T) {
	c := newClone(t)
	c.run("scripts/setup")
	written := c.read("rebake.yaml")
	c.run("scripts/setup") // as after a change of the code
	if diff := cmp.Diff(written, c.read("rebake.yaml")); diff != "" {
		t.Fatalf("the second setup does not leave rebake.yaml alone (-first +second):\n%s", diff)
	}
	cfg, err := config.Load(filepath.Join(c.dir, "rebake.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatalf("the example site: %v", err)
	}
	c.start("go", "tool", "procfile")
	site, cms, asynqmon := c.url("SITE_PORT"), c.url("CMS_PORT"), c.url("ASYNQMON_PORT")

	c.await("nginx serves the home page as a file", func() bool {
		status, header, body := c.get(site + "/")
		return status == http.StatusOK && strings.HasPrefix(header.Get("Server"), "nginx") && header.Get("ETag") != "" &&
			strings.Contains(body, "Our everyday loaf")
	})

	const edited = "A loaf that nobody has seen"
	status, body := c.post(cms+"/edit/8", nil, url.Values{"title": {edited}, "text": {"New."}, "slug": {"our-everyday-loaf"}, "category": {"1"}})
	if status != http.StatusSeeOther {
		t.Fatalf("saving in the CMS is answered %d %s", status, body)
	}
	c.await("readers see the edit", func() bool {
		_, _, home := c.get(site + "/")
		_, _, post := c.get(site + "/blog/our-everyday-loaf")
		return strings.Contains(home, edited) && strings.Contains(post, edited)
	})

	secret := http.Header{"Authorization": {"Bearer " + cfg.Secret[0].Reveal()}}
	status, body = c.post(site+"/api/revalidate", secret, url.Values{"path": {"/category/breads"}, "wait": {"20s"}})
	if status != http.StatusOK || !strings.Contains(body, `"revalidated":true`) {
		t.Errorf("a trigger through nginx is answered %d %s", status, body)
	}

	c.await("asynqmon lists the queues", func() bool {
		_, _, body := c.get(asynqmon + "/api/queues")
		var answer struct{ Queues []struct{ Queue string } }
		var got []string
		if json.Unmarshal([]byte(body), &answer) != nil {
			return false
		}
		for _, q := range answer.Queues {
			got = append(got, q.Queue)
		}
		slices.Sort(got)
		return slices.Equal(got, []string{"critical", "default", "low"})
	})

	// The runner, and what it runs: else the next would find none either.
	running := c.processes()
	for _, name := range []string{"procfile", "redis-server", "rebake", "nginx", "asynqmon", "example"} {
		if !slices.ContainsFunc(running, func(p process) bool { return strings.Contains(p.name, name) }) {
			t.Errorf("no %s among the processes %v", name, running)
		}
	}
	if err := c.interrupt(); err != nil {
		t.Errorf("after Ctrl-C it ends with %v", err)
	}
	if left := c.processes(); len(left) > 0 {
		t.Errorf("Ctrl-C leaves %v", left)
	}
	if left := c.unignored(); len(left) > 0 {
		t.Errorf("git would see %v", left)
	}
}
