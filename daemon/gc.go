package daemon

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"rebake/api"
	"rebake/worker"
)

func newGCCommand(flags *globalFlags) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Take away what nobody needs any more",
		Long: `Gc takes away published pages that no route matches any more, sidecars (.gz, .br)
that compress does not ask for or whose page's file is gone, empty folders of
removed pages, and what the ledger's indexes hold of pages that were removed a
month ago. The routes are those of the rebake that runs. What it did not write
stays: a file that is not as it was published, too. With --json it prints one
object a line.`,
		Example: `  rebake gc --dry-run`,
		Args:    cobra.NoArgs,
		RunE: ask(flags, func(cmd *cobra.Command, _ []string, a asking) error {
			return a.gc(cmd, dryRun)
		}),
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what it would be")
	cmd.Flags().Bool("json", false, "print one JSON object a line")
	return cmd
}

// gc prints what is found as it is found, and a sum.
func (a asking) gc(cmd *cobra.Command, dry bool) error {
	enc := json.NewEncoder(a.screen)
	sum, left := make(map[worker.GCKind]int64), int64(0)
	for after := ""; ; {
		var res api.GCResult
		var err error
		if dry {
			err = a.get(cmd.Context(), "/v1/gc", url.Values{"after": {after}}, &res)
		} else {
			err = a.post(cmd.Context(), "/v1/gc", api.GCRequest{After: after, By: person()}, &res)
		}
		if err != nil {
			return err
		}
		for _, item := range res.Items {
			if item.Left {
				left++
			} else {
				sum[item.Kind] += int64(max(1, item.Count))
			}
			if !a.json {
				a.gcItem(item)
			} else if err := enc.Encode(item); err != nil {
				return err
			}
		}
		if after = res.Next; after == "" {
			break
		}
	}
	if !a.json {
		a.gcSum(sum, left, dry)
	}
	return nil
}

func (a asking) gcItem(item worker.GCItem) {
	kind := string(item.Kind)
	if item.Left {
		kind = "left"
	}
	name := item.Name
	if item.Count > 0 {
		name = fmt.Sprintf("%s × %d", name, item.Count)
	}
	line := fmt.Sprintf("%-7s  %s  %s", kind, name, item.Why)
	if a.screen.width > 0 {
		line = cut(line, a.screen.width)
	}
	fmt.Fprintln(a.screen, line)
}

func (a asking) gcSum(sum map[worker.GCKind]int64, left int64, dry bool) {
	var parts []string
	for _, k := range []struct {
		kind      worker.GCKind
		one, many string
	}{
		{worker.GCPage, "page", "pages"}, {worker.GCSidecar, "sidecar", "sidecars"},
		{worker.GCFolder, "folder", "folders"}, {worker.GCIndex, "index entry", "index entries"},
		{worker.GCPoll, "poll", "polls"},
	} {
		if n := sum[k.kind]; n > 0 {
			parts = append(parts, count(n, k.one, k.many))
		}
	}
	switch text := strings.Join(parts, ", "); {
	case text == "":
		a.tell(true, "nothing to take away")
	case dry:
		a.tell(true, "would take away %s; nothing was touched", text)
	default:
		a.tell(true, "took away %s", text)
	}
	if left > 0 {
		a.tell(false, "%d left alone, for the reasons above", left)
	}
}
