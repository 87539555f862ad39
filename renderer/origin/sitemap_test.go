package origin

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sitemaps serves files by their paths; a file that begins with "redirect " is
// one, and one of digits is a status.
func sitemaps(files map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		status := 0
		switch to, redirect := strings.CutPrefix(text, "redirect "); {
		case !ok:
			http.NotFound(w, r)
		case redirect:
			http.Redirect(w, r, to, http.StatusMovedPermanently)
		case len(text) == 3:
			_, _ = fmt.Sscan(text, &status)
			w.WriteHeader(status)
		default:
			_, _ = w.Write([]byte(text))
		}
	}
}

func urlset(locs ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
	for _, loc := range locs {
		b.WriteString("<url><loc>" + loc + "</loc></url>")
	}
	return b.String() + "</urlset>"
}

func sitemapIndex(locs ...string) string {
	return `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>` +
		strings.Join(locs, "</loc></sitemap><sitemap><loc>") + `</loc></sitemap></sitemapindex>`
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// mapped reads all sitemaps of an origin.
func mapped(t *testing.T, o *Origin) ([]string, error) {
	t.Helper()
	var got []string
	err := o.EachInSitemaps(t.Context(), func(_ context.Context, targets []string) error {
		got = append(got, targets...)
		return nil
	})
	return got, err
}

func TestEachInSitemaps(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"named in robots.txt": {map[string]string{
			"/robots.txt":  "User-agent: *\nDisallow:\n sitemap : https://www.example.com/a.xml\r\nSitemap: /b.xml\nSitemap: https://other.org/c.xml\n",
			"/a.xml":       urlset("https://www.example.com/1"),
			"/b.xml":       urlset("https://www.example.com/2"),
			"/sitemap.xml": urlset("https://www.example.com/no"),
		}, []string{"/1", "/2"}},
		"the first that is there": {map[string]string{
			"/wp-sitemap.xml":    urlset("https://www.example.com/1"),
			"/sitemap_index.xml": urlset("https://www.example.com/no"),
		}, []string{"/1"}},
		"what else is answered for a missing file": {map[string]string{
			"/robots.txt": "<!doctype html><p>Sitemap: no", "/sitemap.xml": "<!doctype html><html><br></html>",
			"/wp-sitemap.xml": "403", "/sitemap_index.xml": urlset("https://www.example.com/1"),
		}, []string{"/1"}},
		"moved": {map[string]string{
			"/sitemap.xml": "redirect /moved.xml", "/moved.xml": urlset("https://www.example.com/1"),
		}, []string{"/1"}},
		"index in index, and in itself": {map[string]string{
			"/sitemap.xml": sitemapIndex("https://www.example.com/sitemap.xml", "https://www.example.com/i.xml", "https://other.org/x.xml"),
			"/i.xml":       sitemapIndex("https://www.example.com/sitemap.xml", "https://www.example.com/1.xml", "https://www.example.com/1.xml"),
			"/1.xml":       urlset("https://www.example.com/1"),
		}, []string{"/1"}},
		"compressed": {map[string]string{
			"/sitemap.xml": sitemapIndex("https://www.example.com/a.xml.gz"), "/a.xml.gz": gzipped(t, urlset("https://www.example.com/1")),
		}, []string{"/1"}},
		"addresses that are no pages of the origin": {map[string]string{
			"/sitemap.xml": urlset("https://other.org/1", "https://www.example.com/?p=1", "ftp://www.example.com/2", "", "%zz", "relative", "\n https://www.example.com/caf%C3%A9/ \n", "http://cms.local/4"),
		}, []string{"/caf%C3%A9/", "/4"}},
		"images": {map[string]string{
			"/sitemap.xml": `<urlset xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url><image:image><image:loc>https://www.example.com/a.png</image:loc></image:image>` +
				`<loc><![CDATA[https://www.example.com/1]]></loc></url></urlset>`,
		}, []string{"/1"}},
		"another charset": {map[string]string{
			"/sitemap.xml": "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><urlset><url><loc>https://www.example.com/caf\xe9</loc></url></urlset>",
		}, []string{"/caf%C3%A9"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := mapped(t, newOrigin(t, sitemaps(tc.files), func(c *Config) { c.Host = "cms.local" }))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEachInSitemaps_tellsWhatCannotBeReadAndGoesOn(t *testing.T) {
	deep := map[string]string{"/ok.xml": urlset("https://www.example.com/1")}
	for i := range mostSitemapDepth + 1 {
		deep[fmt.Sprintf("/%d.xml", i)] = sitemapIndex(fmt.Sprintf("https://www.example.com/%d.xml", i+1))
	}
	for name, tc := range map[string]struct {
		bad  string
		more map[string]string
		want string
	}{
		"missing":            {"", nil, "app GET /bad.xml: status 404: gone"},
		"away":               {"503", nil, "app GET /bad.xml: status 503"},
		"cut off":            {strings.TrimSuffix(urlset("https://www.example.com/0"), "</urlset>"), nil, "app GET /bad.xml: it is broken: XML syntax error"},
		"a page":             {"<!doctype html><html></html>", nil, "app GET /bad.xml: it is no sitemap: it begins with <html>"},
		"empty":              {"    ", nil, "app GET /bad.xml: it is no sitemap: it is empty"},
		"broken gzip":        {gzipped(t, urlset())[:20], nil, "app GET /bad.xml: it is no sitemap: unexpected EOF"},
		"redirects for ever": {"redirect /r1", map[string]string{"/r1": "redirect /r2", "/r2": "redirect /r1"}, "app GET /bad.xml: more than 3 redirects"},
		"redirect elsewhere": {"redirect https://other.org/sitemap.xml", nil, "app GET /bad.xml: status 301"},
		"too deep":           {sitemapIndex("https://www.example.com/0.xml"), deep, "app GET /3.xml: sitemap indexes lie more than 4 deep in each other"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{
				"/robots.txt": "Sitemap: /bad.xml\nSitemap: /ok.xml", "/ok.xml": urlset("https://www.example.com/1"),
			}
			if tc.bad != "" {
				files["/bad.xml"] = tc.bad
			}
			for name, text := range tc.more {
				files[name] = text
			}
			got, err := mapped(t, newOrigin(t, sitemaps(files)))
			var told *SitemapError
			if !errors.As(err, &told) || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
			if !slices.Contains(got, "/1") {
				t.Errorf("got %q, want /1 among it", got)
			}
		})
	}
}

func TestEachInSitemaps_boundsWhatItTells(t *testing.T) {
	var locs []string
	for i := range 12 {
		locs = append(locs, fmt.Sprintf("https://www.example.com/missing-%d.xml", i))
	}
	_, err := mapped(t, newOrigin(t, sitemaps(map[string]string{"/sitemap.xml": sitemapIndex(locs...)})))
	if err == nil || strings.Count(err.Error(), "GET") != 5 || !strings.HasSuffix(err.Error(), "; and 7 more") {
		t.Errorf("got %v", err)
	}
}

func TestEachInSitemaps_withoutAny(t *testing.T) {
	if _, err := mapped(t, newOrigin(t, http.NotFound)); !errors.Is(err, ErrNoSitemap) {
		t.Errorf("got %v, want ErrNoSitemap", err)
	}
}

func TestEachInSitemaps_ofAnOriginThatIsAway(t *testing.T) {
	_, err := mapped(t, newOrigin(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	if err == nil || !strings.Contains(err.Error(), "app GET /robots.txt: status 503") {
		t.Errorf("got %v", err)
	}
}

func TestEachInSitemaps_endsWithTheErrorOfItsCaller(t *testing.T) {
	var locs []string
	for i := range 3 * sitemapBatch {
		locs = append(locs, fmt.Sprintf("https://www.example.com/%d", i))
	}
	o := newOrigin(t, sitemaps(map[string]string{"/sitemap.xml": urlset(locs...)}))
	mine, calls := errors.New("mine"), 0
	err := o.EachInSitemaps(t.Context(), func(_ context.Context, targets []string) error {
		calls++
		return mine
	})
	if err != mine || calls != 1 {
		t.Errorf("got %v after %d calls, want the caller's after one", err, calls)
	}
}

func TestEachInSitemaps_endsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) { cancel() })
	err := o.EachInSitemaps(ctx, func(context.Context, []string) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSitemap_isBoundedWhenDecompressed(t *testing.T) {
	r := &atMost{r: strings.NewReader("12345"), left: 4}
	if _, err := r.Read(make([]byte, 10)); err == nil || !strings.Contains(err.Error(), "decompressed") {
		t.Errorf("got %v", err)
	}
}

func TestSitemapWalk_boundsTheNumberOfSitemaps(t *testing.T) {
	w := &sitemapWalk{seen: map[string]bool{}}
	for i := range mostSitemaps {
		if err := w.add(sitemapAt{target: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.add(sitemapAt{target: "more"}); err == nil {
		t.Error("one more was added")
	}
	if err := w.add(sitemapAt{target: "0"}); err != nil {
		t.Errorf("one of them again: %v", err)
	}
}

func TestGet_followsRedirectsWithinTheOrigin(t *testing.T) {
	o := newOrigin(t, sitemaps(map[string]string{"/a": "redirect /b?x=1", "/b": "here"}))
	if resp, err := o.Get(t.Context(), "/a"); err != nil || string(resp.Body) != "here" {
		t.Errorf("got %q, %v", resp.Body, err)
	}
}
