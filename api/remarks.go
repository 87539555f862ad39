package api

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"rebake/storage"
	"rebake/worker"
)

// goneRemark names the pages that a caller has waited for and that are none,
// with the reason of the first.
func (a *API) goneRemark(ctx context.Context, accepted worker.Accepted) string {
	var gone []storage.Path
	var why string
	for _, p := range accepted.Pages {
		if reason := a.gone(ctx, p.Path); reason != "" {
			gone = append(gone, p.Path)
			why = cmp.Or(why, reason)
		}
	}
	if len(gone) == 0 {
		return ""
	}
	return why + ": " + join(gone)
}

// remark says what an accepted trigger did not touch.
func remark(t worker.Trigger, accepted worker.Accepted) string {
	switch {
	case len(accepted.Unmatched) > 0:
		return fmt.Sprintf("no route matches %s", join(accepted.Unmatched))
	case len(accepted.OverQuota) > 0:
		return overQuota + ": " + join(accepted.OverQuota)
	case accepted.Spooled != nil:
		return kept(accepted.Spooled)
	case pages(accepted) > 0:
		return ""
	case len(t.Labels) > 0:
		return fmt.Sprintf("no page has %s yet", strings.Join(names(accepted.Labels), ", "))
	case len(t.Items) > 0 && len(t.Paths) == 0:
		return "no page shows it yet, so the CMS is asked where it belongs"
	case len(t.Paths) == 0:
		return "no page matches"
	default:
		return fmt.Sprintf("never published, so left alone: %s", join(t.Paths))
	}
}

// overQuota is why a page is left alone that would be new.
const overQuota = "the site has as many pages as its quota allows (quota.pages)"

func overQuotaPages(accepted worker.Accepted) []failedPage {
	var list []failedPage
	for _, p := range accepted.OverQuota {
		list = append(list, failedPage{p.String(), overQuota})
	}
	return list
}

// kept says what becomes of a spooled trigger.
func kept(s *worker.Spooled) string { return s.Why + "; the trigger is kept until it takes it" }

func names(labels []worker.AcceptedLabel) []string {
	var list []string
	for _, l := range labels {
		if !isItem(l.Label) && len(list) < 5 {
			list = append(list, string(l.Label))
		}
	}
	return list
}

func join(paths []storage.Path) string {
	const most = 5
	var names []string
	for _, p := range paths[:min(len(paths), most)] {
		names = append(names, p.String())
	}
	if more := len(paths) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
