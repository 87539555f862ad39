package origin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"rebake/storage"
)

// Next.js renders a page anew, past its own cache and that of tagged fetches,
// when a request carries the id of its build in this header. res.revalidate()
// sends it too.
const previewHeader = "X-Prerender-Revalidate"

// previewID reads the id that a Next build has written into its prerender
// manifest, and again when that file changes. Safe for concurrent use.
type previewID struct {
	file string

	mu   sync.Mutex
	read time.Time      // guarded by mu; the file's modification time
	id   storage.Secret // guarded by mu; whoever has it can make Next render
}

func newPreviewID(build string) *previewID {
	return &previewID{file: filepath.Join(build, "prerender-manifest.json")}
}

// apply puts the id into a request; a nil p leaves it as it is. A build that
// is being written is a temporary error.
func (p *previewID) apply(req *http.Request) error {
	if p == nil {
		return nil
	}
	id, err := p.current()
	if err != nil {
		return storage.Temporary(err)
	}
	req.Header.Set(previewHeader, id.Reveal())
	return nil
}

func (p *previewID) current() (storage.Secret, error) {
	info, err := os.Stat(p.file)
	if err != nil {
		return "", fmt.Errorf("look for the id of the Next build: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.id != "" && info.ModTime().Equal(p.read) {
		return p.id, nil
	}
	text, err := os.ReadFile(p.file)
	if err != nil {
		return "", fmt.Errorf("read the id of the Next build: %w", err)
	}
	var manifest struct {
		Preview struct {
			ID string `json:"previewModeId"`
		} `json:"preview"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil || manifest.Preview.ID == "" {
		return "", fmt.Errorf("%s holds no preview.previewModeId; build must name the .next folder of a finished build", p.file)
	}
	p.id, p.read = storage.Secret(manifest.Preview.ID), info.ModTime()
	return p.id, nil
}

// refreshOthers has every instance but one render the page anew, so that what
// they answer to the browser's own navigation is as new as the file. One that
// is down is left alone: the page must not wait for it.
func (o *Origin) refreshOthers(ctx context.Context, asked int, target string, urgent bool) {
	if o.preview == nil {
		return
	}
	for i, base := range o.bases {
		if i == asked {
			continue
		}
		req, err := o.request(ctx, base, http.MethodHead, target)
		if err != nil || o.preview.apply(req) != nil {
			continue
		}
		_, _ = o.client.Do(ctx, req, urgent, func(*http.Response) error { return nil })
	}
}
