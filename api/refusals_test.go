package api

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/api/webhook"
	"rebake/storage"
)

func TestStatus_tellsOfWebhooksThatRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := storage.Secrets{"another-CANARY-secret-0123456789"}
		f := newHooked(t, map[string]webhook.Config{"cms": {Kind: "strapi"}, "ghost": {Kind: "strapi", Secret: other}})
		refused := func() []RefusedEvents {
			t.Helper()
			var s Status
			do(t, f.Admin(), "GET", "/v1/status", "", admin).decode(&s)
			return s.Refused
		}
		for range failuresAtOnce + 5 { // the last ones are not even looked into
			f.send("ghost", articleHi)
		}
		at := time.Now()
		time.Sleep(time.Minute)
		f.send("cms", articleHi)
		want := []RefusedEvents{{Webhook: "ghost", Requests: failuresAtOnce + 5, Last: at, Reason: "another secret"}}
		if diff := cmp.Diff(want, refused()); diff != "" {
			t.Errorf("refused (-want +got):\n%s", diff)
		}

		time.Sleep(refusedFor)
		if got := refused(); got != nil {
			t.Errorf("refused %+v, want nothing after an hour", got)
		}
		f.send("ghost", articleHi)
		if got := refused(); len(got) != 1 || got[0].Requests != 1 {
			t.Errorf("refused %+v, want the newest alone", got)
		}
	})
}
