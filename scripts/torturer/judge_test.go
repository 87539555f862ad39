package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fake is a judge, and a directory in which a test plays Rebake.
type fake struct {
	t      *testing.T
	source *Source
	judge  *Judge
	output string
}

func newFake(t *testing.T, pages int) *fake {
	t.Helper()
	lab := newLab(t.TempDir(), "", false, 1, t.Output())
	t.Cleanup(lab.close)
	f := &fake{t: t, source: lab.NewSource(pages), output: t.TempDir()}
	f.judge = NewJudge(f.source, f.output)
	return f
}

// publish writes the page and its .gz as of one version.
func (f *fake) publish(path string, version int) {
	f.t.Helper()
	f.write(path, "index.html", []byte(f.page(path, version)))
	f.write(path, "index.html.gz", pack(f.t, f.page(path, version)))
}

func (f *fake) page(path string, version int) string {
	return makePage(makeItem(path, "g0", version, 2000))
}

func (f *fake) write(path, name string, body []byte) {
	f.t.Helper()
	if err := Write(filepath.Join(f.output, path), map[string]string{name: string(body)}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) remove(path string) {
	f.t.Helper()
	if err := os.RemoveAll(filepath.Join(f.output, path)); err != nil {
		f.t.Fatal(err)
	}
}

func pack(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	if _, err := zip.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// verdict is what the judge says of pages that will not change any more.
func (f *fake) verdict() (lost, torn, older int) {
	f.t.Helper()
	o, err := f.judge.Verdict(context.Background(), 0)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, n := range o.Notes {
		f.t.Log(n)
	}
	return o.Lost, o.Torn, o.Older
}

func (f *fake) want(lost, torn, older int) {
	f.t.Helper()
	got := map[string]int{}
	got["lost"], got["torn"], got["older"] = f.verdict()
	if diff := cmp.Diff(map[string]int{"lost": lost, "torn": torn, "older": older}, got); diff != "" {
		f.t.Errorf("-want +got:\n%s", diff)
	}
}

func TestJudge_AllAsAcknowledged(t *testing.T) {
	f := newFake(t, 3)
	for _, path := range f.source.Paths() {
		v := f.source.Bump(path)
		f.publish(path, v)
		f.judge.Acknowledged(map[string]int{path: v})
		f.judge.inspect(path)
	}
	f.want(0, 0, 0)
}

func TestJudge_OneOfManyLost(t *testing.T) {
	f := newFake(t, 100)
	for i, path := range f.source.Paths() {
		f.publish(path, 1)
		f.judge.Acknowledged(map[string]int{path: f.source.Bump(path)})
		if i != 57 {
			f.publish(path, 2)
		}
	}
	f.want(1, 0, 0)
}

func TestJudge_NewerThanAcknowledged(t *testing.T) {
	f := newFake(t, 1)
	path := f.source.Paths()[0]
	f.judge.Acknowledged(map[string]int{path: f.source.Bump(path)})
	f.publish(path, f.source.Bump(path)) // its trigger was not acknowledged
	f.want(0, 0, 0)
}

func TestJudge_NeverPublished(t *testing.T) {
	f := newFake(t, 1)
	path := f.source.Paths()[0]
	f.judge.Acknowledged(map[string]int{path: f.source.Bump(path)})
	f.want(1, 0, 0)
}

func TestJudge_Deleted(t *testing.T) {
	for name, test := range map[string]struct {
		do          func(f *fake, path string)
		lost, older int
	}{
		"and away":        {do: func(f *fake, path string) { f.remove(path) }},
		"and still there": {do: func(*fake, string) {}, lost: 1},
		"and there again as it was": {do: func(f *fake, path string) {
			f.remove(path)
			f.judge.inspect(path)
			f.publish(path, 1)
			f.judge.inspect(path)
		}, lost: 1, older: 2},
		"and back with an edit": {do: func(f *fake, path string) {
			f.remove(path)
			f.judge.inspect(path)
			f.publish(path, f.source.Bump(path))
			f.judge.inspect(path)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1)
			path := f.source.Paths()[0]
			f.publish(path, 1)
			f.judge.inspect(path)
			f.judge.Acknowledged(map[string]int{path: f.source.Delete(path)})
			test.do(f, path)
			f.want(test.lost, 0, test.older)
		})
	}
}

func TestJudge_LabelOwesKnownPagesAlone(t *testing.T) {
	f := newFake(t, 3)
	known, old, never := f.source.Paths()[0], f.source.Paths()[1], f.source.Paths()[2]
	versions := map[string]int{known: f.source.Bump(known), old: f.source.Bump(old), never: f.source.Bump(never)}
	f.judge.AcknowledgedLabel(versions, map[string]bool{known: true})
	f.publish(old, 1) // it came after the trigger, and with older content
	f.want(2, 0, 0)   // known has no page, old is old
}

func TestJudge_TornPage(t *testing.T) {
	for name, body := range map[string]func(f *fake, path string) string{
		"empty": func(*fake, string) string { return "" },
		"cut":   func(f *fake, path string) string { return f.page(path, 2)[:1500] },
		"mixed": func(f *fake, path string) string { return f.page(path, 1)[:1500] + f.page(path, 2)[1500:] },
		"with an end too much": func(f *fake, path string) string {
			return f.page(path, 2) + "</html>\n"
		},
		"of another path": func(f *fake, _ string) string { return f.page("/s1/p9", 2) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1)
			path := f.source.Paths()[0]
			f.write(path, "index.html", []byte(body(f, path)))
			f.judge.inspect(path)
			f.publish(path, 2)
			f.want(0, 2, 0) // it was read twice
		})
	}
}

func TestJudge_PackedOfAnotherVersion(t *testing.T) {
	for name, packed := range map[string]int{"older": 1, "newer": 3} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1)
			path := f.source.Paths()[0]
			f.publish(path, packed)
			f.write(path, "index.html", []byte(f.page(path, 2)))
			f.judge.inspect(path)
			f.publish(path, 4)
			f.want(0, 1, 0)
		})
	}
}

func TestJudge_PackedIsMissingAtTheEnd(t *testing.T) {
	f := newFake(t, 1)
	path := f.source.Paths()[0]
	f.write(path, "index.html", []byte(f.page(path, 2)))
	f.want(0, 1, 0)
}

func TestJudge_OlderOverNewer(t *testing.T) {
	f := newFake(t, 1)
	path := f.source.Paths()[0]
	for _, v := range []int{1, 3, 2, 3} {
		f.publish(path, v)
		f.judge.inspect(path)
	}
	f.want(0, 0, 3) // the page was read twice, its .gz once
}

func TestJudge_OlderAfterPowerCut(t *testing.T) {
	f := newFake(t, 1)
	path := f.source.Paths()[0]
	f.publish(path, 3)
	f.judge.inspect(path)
	f.judge.AfterPowerCut()
	f.publish(path, 2)
	f.judge.inspect(path)
	f.want(0, 0, 0)
}

func TestJudge_Pay(t *testing.T) {
	f := newFake(t, 1)
	path := f.source.Paths()[0]
	f.judge.Acknowledged(map[string]int{path: f.source.Bump(path)})
	debt := f.judge.Debt()
	f.judge.Acknowledged(map[string]int{path: f.source.Bump(path)}) // later, and not asked for
	f.publish(path, 2)
	took, wrong, err := f.judge.Pay(context.Background(), debt, time.Now().Add(-time.Hour), 2*time.Hour)
	if err != nil || len(wrong) > 0 {
		t.Fatalf("Pay says %v, %v", wrong, err)
	}
	if took < time.Hour || took > time.Hour+time.Minute {
		t.Errorf("it took %s, want an hour, from the moment that was given", took)
	}
}
