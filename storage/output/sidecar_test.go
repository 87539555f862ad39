package output

import (
	"os"
	"testing"

	"rebake/storage"
)

func TestPublish_MendsSidecarsWithoutTouchingThePage(t *testing.T) {
	for name, spoil := range map[string]func(*site){
		"missing":   func(s *site) { _ = os.Remove(s.file("a/index.html.gz")) },
		"different": func(s *site) { s.write("a/index.html.gz", "not what it should be") },
		"link": func(s *site) {
			_ = os.Rename(s.file("a/index.html.gz"), s.file("a/moved"))
			_ = os.Symlink("moved", s.file("a/index.html.gz"))
		},
		"unexpected": func(s *site) { s.write("a/index.html.br", "nobody asked for it") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "gzip")
			s.put("/a", text(1, 4000))
			before := s.stat("a/index.html")
			spoil(s)
			if s.put("/a", text(1, 4000)).Changed {
				t.Error("the page is reported as changed")
			}
			_ = os.Remove(s.file("a/moved"))
			s.wantNames("a/ a/index.html a/index.html.gz")
			s.wantSidecar("a/index.html", ".gz")
			after, gz := s.stat("a/index.html"), s.stat("a/index.html.gz")
			if inode(after) != inode(before) || !after.ModTime().Equal(before.ModTime()) {
				t.Error("the page was touched")
			}
			if !gz.Mode().IsRegular() || !gz.ModTime().Equal(after.ModTime()) {
				t.Errorf("sidecar %v dated %v, want a file dated %v", gz.Mode(), gz.ModTime(), after.ModTime())
			}
		})
	}
}

func TestPublish_CompressListShrinks(t *testing.T) {
	s := newSite(t, "gzip", "br")
	s.put("/same", text(1, 4000))
	s.put("/other", text(1, 4000))
	s = s.again("gzip")
	s.put("/same", text(1, 4000))
	s.put("/other", text(2, 4000))
	s.wantNames("other/ other/index.html other/index.html.gz same/ same/index.html same/index.html.gz")
	s = s.again()
	s.put("/same", text(1, 4000))
	s.put("/other", text(3, 4000))
	s.wantNames("other/ other/index.html same/ same/index.html")
}

func TestPublish_OnlyLargeTextHasSidecars(t *testing.T) {
	s := newSite(t, "gzip")
	s.put("/small", "short")
	for path, mediaType := range map[string]string{"/data.json": "application/json", "/pic.svg": "image/svg+xml", "/photo.txt": "image/jpeg", "/odd.txt": ";"} {
		p := page(path, text(1, 4000))
		p.Type = mediaType
		if _, err := s.Publish(t.Context(), p, storage.Published{}, allow); err != nil {
			t.Fatal(err)
		}
	}
	s.wantNames("data.json data.json.gz odd.txt photo.txt pic.svg pic.svg.gz small/ small/index.html")
}

// A page that is a link with the right bytes behind it is not served by nginx.
func TestPublish_ReplacesLinkThatLeadsToEqualBytes(t *testing.T) {
	s := newSite(t)
	s.write("copy", "x")
	s.write("a/keep", "")
	if err := os.Symlink("../copy", s.file("a/index.html")); err != nil {
		t.Fatal(err)
	}
	s.put("/a", "x")
	if mode := s.stat("a/index.html").Mode(); !mode.IsRegular() {
		t.Errorf("the page has mode %v, want a file", mode)
	}
}

func TestOpen_UnknownEncoding(t *testing.T) {
	base := t.TempDir()
	if d, err := Open(Config{Dir: base + "/public", State: base + "/state", Compress: []string{"zstd"}}); err == nil {
		_ = d.Close()
		t.Error("no error")
	}
}
