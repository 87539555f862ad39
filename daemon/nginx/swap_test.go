package nginx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/gzip"

	"rebake/daemon/nginx"
	"rebake/daemon/nginx/nginxtest"
	"rebake/storage"
	"rebake/storage/output"
)

// The pages of the swap tests: few enough versions of each that none has to
// wait for its second.
const (
	swapPages    = 1000
	swapVersions = 5
	swapWriters  = 4 // writer n changes the pages n, n+4, n+8 …
	swapReaders  = 4
)

func swapPath(i int) string { return "/p" + strconv.Itoa(i) }

// swapBody makes 16 KB, for some pages up to 64 KB, in which every line carries the version.
func swapBody(i, version int) []byte {
	line := fmt.Sprintf("<p>page %04d, version %08d: what readers see is one whole version of a page</p>\n", i, version)
	size := 16 << 10
	if i%8 == 0 {
		size += i % 49 << 10
	}
	return append(bytes.Repeat([]byte(line), size/len(line)), "</html>\n"...)
}

func swapVersion(i int, body []byte) (int, error) {
	_, rest, _ := bytes.Cut(body, []byte("version "))
	digits, _, _ := bytes.Cut(rest, []byte(":"))
	version, err := strconv.Atoi(string(digits))
	if err != nil || !bytes.Equal(body, swapBody(i, version)) {
		return 0, fmt.Errorf("torn: %d bytes that are no version of page %d", len(body), i)
	}
	return version, nil
}

// readers ask for the pages that are being changed, each on a connection of its
// own.
type readers struct {
	url     string
	wake    []chan int // for each reader the page that is about to be changed
	reads   atomic.Int64
	zipped  atomic.Int64
	newer   atomic.Int64 // reads of another version than the reader had seen
	all     sync.WaitGroup
	wrong   atomic.Int64
	example atomic.Value // of what is wrong, an error
}

func startReaders(url string) *readers {
	r := &readers{url: url}
	for range swapReaders {
		wake := make(chan int, 1)
		r.wake = append(r.wake, wake)
		r.all.Go(func() { r.read(wake) })
	}
	return r
}

// look wakes two readers, unless they are at work. They would take the time
// that the writers need if they did not wait for them.
func (r *readers) look(i int) {
	for n := range 2 {
		select {
		case r.wake[(i+n)%swapReaders] <- i:
		default:
		}
	}
}

func (r *readers) end() {
	for _, wake := range r.wake {
		close(wake)
	}
	r.all.Wait()
}

// read asks in turn for the page and for its zipped form: whatever the form, no
// answer may be older than the one before.
func (r *readers) read(wake chan int) {
	transport := &http.Transport{DisableCompression: true, MaxConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	seen := make(map[int]int)
	for i := range wake {
		for n := range 4 {
			version, err := r.get(transport, i, n%2 == 1)
			old, known := seen[i]
			if err == nil && version < old {
				err = fmt.Errorf("page %d went back from version %d to %d", i, old, version)
			}
			if err != nil {
				r.wrong.Add(1)
				r.example.CompareAndSwap(nil, err)
				continue
			}
			if known && version > old {
				r.newer.Add(1)
			}
			seen[i] = version
			r.reads.Add(1)
		}
	}
}

func (r *readers) get(transport *http.Transport, i int, zip bool) (version int, err error) {
	req, err := http.NewRequest("GET", r.url+swapPath(i), nil)
	if err != nil {
		return 0, err
	}
	if zip {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, errors.New(resp.Status)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("torn: %w", err)
	}
	if resp.Header.Get("Content-Encoding") == "gzip" {
		r.zipped.Add(1)
		unzip, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return 0, fmt.Errorf("torn: %w", err)
		}
		if body, err = io.ReadAll(unzip); err != nil {
			return 0, fmt.Errorf("torn: %w", err)
		}
	}
	return swapVersion(i, body)
}

// Nothing but Publish touches the files: 5,000 swaps, and no reader ever gets
// a torn page, an older one, or none.
func TestReaders_SeeNoTornPageDuringSwaps(t *testing.T) {
	base := t.TempDir()
	open := func(compress ...string) *output.Dir {
		out, err := output.Open(output.Config{Dir: base + "/public", State: base + "/state", Compress: compress})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = out.Close() })
		return out
	}
	plain, zipped := open(), open("gzip")
	prev := make([]storage.Published, swapPages)
	publish := func(i, version int) error {
		p, err := storage.ParsePath(swapPath(i))
		if err != nil {
			return err
		}
		page := storage.Page{Path: p, Type: html, Body: swapBody(i, version)}
		out := plain
		if i/swapWriters%4 == 0 { // one page in four: the race detector makes compression slow
			out = zipped
		}
		res, err := out.Publish(t.Context(), page, prev[i], func(context.Context, bool) error { return nil })
		prev[i] = storage.Published{Hash: page.Hash(), MTime: res.MTime}
		return err
	}
	publishAll := func(version int, before func(i int)) {
		var all sync.WaitGroup
		for n := range swapWriters {
			all.Go(func() {
				for i := n; i < swapPages; i += swapWriters {
					before(i)
					if err := publish(i, version); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	publishAll(0, func(int) {})
	server := nginxtest.Start(t, func(addr string) string {
		return serverConf(t, nginx.Config{ServerName: "_", Output: plain.Path(), Listen: "127.0.0.1:1", ServerListen: addr})
	})
	r := startReaders(server.URL)
	for version := 1; version <= swapVersions; version++ {
		publishAll(version, r.look)
	}
	r.end()
	t.Logf("%d swaps, %d reads, %d of them zipped, %d of a newer version than before",
		swapPages*swapVersions, r.reads.Load(), r.zipped.Load(), r.newer.Load())
	if n := r.wrong.Load(); n > 0 {
		t.Errorf("%d wrong answers, such as: %v", n, r.example.Load())
	}
	if r.newer.Load() == 0 || r.zipped.Load() == 0 || r.zipped.Load() == r.reads.Load() {
		t.Error("the readers did not see what they were to see")
	}
}

// The control: the same readers catch a publisher that writes in place.
func TestReaders_SeeTornPagesWhenWrittenInPlace(t *testing.T) {
	dir := t.TempDir()
	write := func(i, version int) error {
		name := filepath.Join(dir, strings.TrimPrefix(swapPath(i), "/"), "index.html")
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			return err
		}
		body := bytes.NewBuffer(swapBody(i, version))
		for err == nil && body.Len() > 0 {
			_, err = f.Write(body.Next(4096))
		}
		return errors.Join(err, f.Close())
	}
	for i := range swapPages {
		err := os.Mkdir(filepath.Join(dir, strings.TrimPrefix(swapPath(i), "/")), 0o755)
		if err := errors.Join(err, write(i, 0)); err != nil {
			t.Fatal(err)
		}
	}
	server := nginxtest.Start(t, func(addr string) string {
		return serverConf(t, nginx.Config{ServerName: "_", Output: dir, Listen: "127.0.0.1:1", ServerListen: addr})
	})
	r := startReaders(server.URL)
	writes := 0
	for ; writes < 20*swapPages && r.wrong.Load() == 0; writes++ {
		i := writes % swapPages
		r.look(i)
		if err := write(i, 1+writes/swapPages); err != nil {
			t.Fatal(err)
		}
	}
	r.end()
	t.Logf("%d writes, %d reads, %d wrong: %v", writes, r.reads.Load(), r.wrong.Load(), r.example.Load())
	if r.wrong.Load() == 0 {
		t.Error("the readers did not catch one torn page")
	}
}
