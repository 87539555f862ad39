package api

import (
	"context"
	"net/http"
	"time"

	"rebake/storage/ledger"
)

// AskedPage is the answer to a sender that asks how a page is.
type AskedPage struct {
	URL       string           `json:"url"` // as it was asked for
	Path      string           `json:"path,omitempty"`
	Freshness ledger.Freshness `json:"freshness"`
	// At is when the page was looked at last, Changed when it changed last.
	At      time.Time `json:"at,omitzero"`
	Changed time.Time `json:"changed,omitzero"`
	// Reason says why it is not fresh.
	Reason string `json:"reason,omitempty"`
}

// answerQuestion tells how pages are. It is told to whoever can sign events for
// the site, and they could have them rendered as well.
func (a *API) answerQuestion(w http.ResponseWriter, r *http.Request, urls []string) (outcome string) {
	ctx, cancel := context.WithTimeout(r.Context(), acceptTime)
	defer cancel()
	list := []AskedPage{}
	for _, url := range urls[:min(len(urls), a.cfg.MaxPaths)] {
		page, err := a.asked(ctx, url)
		if err != nil {
			a.refuse(w, r, err)
			return eventLost
		}
		list = append(list, page)
	}
	answer(w, http.StatusOK, map[string]any{"pages": list})
	return eventAsked
}

func (a *API) asked(ctx context.Context, url string) (AskedPage, error) {
	page := AskedPage{URL: url, Freshness: ledger.PageUnknown}
	p, err := a.parse(url, a.cfg.Rules.ParseEscaped)
	if err != nil {
		page.Reason = a.words(err.Error(), 200)
		return page, nil
	}
	page.Path = p.String()
	s, err := a.state.State(ctx, p)
	if err != nil {
		return page, err
	}
	page.Freshness = s.Freshness
	if s.Page != nil {
		page.At, page.Changed = s.Page.At, s.Page.Changed
	}
	switch {
	case !a.site.Matches(p):
		page.Reason = "no route matches"
	case s.Owed != nil && s.Owed.Error != "":
		page.Reason = a.words(s.Owed.Error, 300)
	case s.Owed != nil:
		page.Reason = a.words(s.Owed.Reason, 300)
	case s.Label != "":
		page.Reason = string(s.Label)
	}
	return page, nil
}
