package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"rebake/storage/ledger"
)

// TriggerProgress is the answer of GET /v1/triggers/{id}.
type TriggerProgress struct {
	ID     string         `json:"id"`
	Reason string         `json:"reason,omitempty"`
	At     time.Time      `json:"at"`
	Labels []ledger.Label `json:"labels,omitempty"`
	// Pages is how many the trigger is about, as far as they are known: met,
	// failed and waiting ones.
	Pages int  `json:"pages"`
	Done  bool `json:"done"` // nothing is to be waited for any more
	ledger.Progress
	// Unmet are pages that are not met, the first hundred.
	Unmet []PageRow    `json:"unmet"`
	More  int          `json:"more,omitempty"` // pages that were too many to be remembered
	Hold  *ledger.Hold `json:"hold,omitempty"`
}

// mostUnmet is how many pages an answer about progress names.
const mostUnmet = 100

func (a *API) triggerProgress(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.ParseUint(mux.Vars(r)["id"], 10, 64)
	if err != nil {
		a.refuse(w, r, errNoTrigger)
		return
	}
	rec, ok, err := a.state.Record(r.Context(), number)
	if err == nil && !ok {
		err = errNoTrigger
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	res := TriggerProgress{
		ID: strconv.FormatUint(rec.ID, 10), Reason: rec.Reason, At: rec.At, Unmet: []PageRow{}, More: rec.More,
	}
	for _, l := range rec.Labels {
		res.Labels = append(res.Labels, l.Label)
	}
	res.Progress, err = a.state.Progress(r.Context(), rec, func(s ledger.State) {
		if len(res.Unmet) < mostUnmet {
			res.Unmet = append(res.Unmet, newPageRow(s))
		}
	})
	if err == nil {
		res.Hold, err = a.state.Held(r.Context())
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	res.Pages, res.Done = res.Met+res.Failed+res.Waiting, res.Progress.Done()
	answer(w, http.StatusOK, res)
}

var errNoTrigger = &badRequest{http.StatusNotFound, "no_trigger", "no trigger of this number came to /v1/triggers within the last 24 hours"}
