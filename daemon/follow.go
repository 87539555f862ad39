package daemon

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"rebake/api"
)

// The progress of a trigger is looked at often at first, then less often, and
// less often too when the look itself takes long.
const (
	followFirst = 20 * time.Millisecond
	followEvery = 500 * time.Millisecond
)

// follow waits until a trigger has come to its end, or as long as wait says; 0
// is no limit. It shows on a terminal how far it has come.
func (a asking) follow(cmd *cobra.Command, id string, wait time.Duration) (p api.TriggerProgress, err error) {
	show := newCounter(cmd.ErrOrStderr(), a.json)
	defer show.end()
	var late <-chan time.Time
	if wait > 0 {
		late = time.After(wait)
	}
	for pause := followFirst; ; pause = min(2*pause, followEvery) {
		asked := time.Now()
		if err := a.get(cmd.Context(), "/v1/triggers/"+id, url.Values{}, &p); err != nil {
			return p, err
		}
		if p.Done || p.Hold != nil {
			return p, nil
		}
		show.update(p)
		select {
		case <-time.After(max(pause, 2*time.Since(asked))):
		case <-late:
			return p, nil
		case <-cmd.Context().Done():
			return p, nil
		}
	}
}

// counter is one line that is written over again and again; none where there
// is no terminal.
type counter struct {
	out   screen
	shown bool
}

func newCounter(w io.Writer, quiet bool) *counter {
	if quiet {
		w = io.Discard
	}
	return &counter{out: newScreen(w)}
}

func (c *counter) update(p api.TriggerProgress) {
	if c.out.width == 0 {
		return
	}
	c.shown = true
	text := fmt.Sprintf("%d of %d pages published", p.Met, p.Pages)
	if p.Failed > 0 {
		text += fmt.Sprintf(", %d failed", p.Failed)
	}
	fmt.Fprintf(c.out, "\r%s\x1b[K", cut(text, c.out.width-1))
}

func (c *counter) end() {
	if c.shown {
		fmt.Fprint(c.out, "\r\x1b[K")
	}
}
